import { type Account, createAccount, uniqueName } from './accounts.ts'
import { type Call, call, idIn } from './http-client.ts'
import type { Service } from './server.ts'

const newPassword = 'another correct horse battery staple'

type Prepare = (service: Service, account: Account) => Call | Promise<Call>

/** The operations that end the token of their request. */
const endingOperations = new Set(['logoutUser', 'changePassword', 'deleteProfile'])

/** Creates a room of the account. */
export async function createRoom(service: Service, { token }: Account, room: object = {}): Promise<string> {
  const { body } = await call(service, 'createRoom', { token, body: { name: uniqueName(), ...room } })
  return body.room.id
}

const inOwnRoom: Prepare = async (service, account) => ({
  path: { room: await createRoom(service, account) },
})

const asOwnMember: Prepare = async (service, account) => ({
  path: { room: await createRoom(service, account), username: account.username },
})

const bodies: Record<string, Prepare> = {
  createRoom: () => ({ body: { name: uniqueName() } }),
  getRoom: inOwnRoom,
  updateRoom: async (...of) => ({ ...(await inOwnRoom(...of)), body: { name: uniqueName() } }),
  removeRoom: inOwnRoom,
  listMembers: inOwnRoom,
  setMember: async (...of) => ({ ...(await asOwnMember(...of)), body: {} }),
  removeMember: asOwnMember,
  openDirectRoom: async (service) => ({ path: { username: (await createAccount(service)).username } }),

  registerUser: () => ({ body: { username: uniqueName(), password: newPassword } }),
  loginUser: (_, { username, password }) => ({ body: { username, password } }),
  logoutUser: () => ({ body: {} }),
  changePassword: (_, { password }) => ({ body: { currentPassword: password, newPassword } }),
  deleteProfile: (_, { password }) => ({ body: { password } }),
  sendMessage: () => ({ body: { message: uniqueName() } }),
  getMessage: async (service, { token }) => {
    const sent = await call(service, 'sendMessage', { token, body: { message: uniqueName() } })
    return { path: { id: idIn(sent) } }
  },
}

/**
 * A request that succeeds, for any operation. Operations that end the token of the request get an account of
 * their own, unless they are expected to fail.
 */
export async function validRequest(
  service: Service,
  id: string,
  account: Account,
  { fails = false } = {},
): Promise<Call> {
  const user = endingOperations.has(id) && !fails ? await createAccount(service) : account
  return { token: user.token, ...(await bodies[id]?.(service, user)) }
}
