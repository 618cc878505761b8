import type { Handlers } from '../http/operation-routes.ts'

export const userHandlers: Pick<Handlers, 'getProfile'> = {
  getProfile: ({ user, reply }) => reply({ user }),
}
