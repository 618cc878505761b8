import { type Account, createAccount, uniqueName } from './accounts.ts'
import { type Call, call, idIn } from './http-client.ts'
import type { Service } from './server.ts'

const newPassword = 'another correct horse battery staple'

type Prepare = (service: Service, account: Account) => Call | Promise<Call>

/** The operations that end the token of their request. */
const endingOperations = new Set(['logoutUser', 'changePassword', 'deleteProfile'])

const bodies: Record<string, Prepare> = {
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
