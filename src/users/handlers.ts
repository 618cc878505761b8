import type { Handlers } from '../contract/handlers.ts'

export const userHandlers: Pick<Handlers, 'getProfile'> = {
  getProfile: ({ user, reply }) => reply({ user }),
}
