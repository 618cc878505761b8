import type { Handlers } from '../contract/handlers.ts'

export const userHandlers: Pick<Handlers, 'getProfile'> = {
  // A user whose account changes is another object.
  getProfile: ({ user, replyCached }) => replyCached(user, { user }),
}
