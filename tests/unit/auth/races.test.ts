import { afterAll, expect, test } from 'bun:test'
import { readHistory } from '../support/asynchronous-service.ts'
import { connect } from '../support/chat-client.ts'
import { bearer, outcome, startService } from '../support/service.ts'

const service = await startService()
afterAll(() => service[Symbol.asyncDispose]())

const password = 'correct horse battery staple'
const newPassword = 'another correct horse battery staple'
let count = 0

async function register() {
  const username = `racer-${++count}`
  const registered = await service.post('/api/auth/register', { username, password })
  const { user } = (await registered.json()) as { user: { id: string; username: string } }
  const login = await service.post('/api/auth/login', { username, password })
  return { user, username, token: await tokenOf(login) }
}

const tokenOf = async (response: Response) => ((await response.json()) as { token: string }).token
const profile = (token: string) => outcome(service.get('/api/users/profile', token))
const logIn = (username: string, with_ = password) =>
  service.post('/api/auth/login', { username, password: with_ })
const logOut = (token: string, everywhere = false) =>
  service.post('/api/auth/logout', { everywhere }, bearer(token))
const changePassword = (token: string, to = newPassword) =>
  service.post('/api/users/password', { currentPassword: password, newPassword: to }, bearer(token))
const deleteProfile = (token: string) =>
  service.post('/api/users/profile', { password }, bearer(token), 'DELETE')

/** Runs `during` once, before the next call of a method of a port returns its result. */
function interrupt<Port extends object, Method extends keyof Port>(
  port: Port,
  method: Method,
  during: () => Promise<unknown>,
): void {
  const original = port[method] as (...values: unknown[]) => unknown
  const replaced = async (...values: unknown[]) => {
    port[method] = original as Port[Method]
    const result = await original(...values)
    await during()
    return result
  }
  port[method] = replaced as Port[Method]
}

const { users } = service.storage

test('of two password changes at once one succeeds, and the other has a wrong password', async () => {
  const { username, token } = await register()
  const responses = await Promise.all([
    changePassword(token, 'the first new password'),
    changePassword(token, 'the second new password'),
  ])
  expect(responses.map(({ status }) => status).sort()).toEqual([200, 403])
  const winner = responses.findIndex(({ status }) => status === 200)
  const logins = await Promise.all([
    logIn(username, 'the first new password'),
    logIn(username, 'the second new password'),
    logIn(username),
  ])
  expect(logins.map(({ status }) => status)).toEqual(winner === 0 ? [200, 401, 401] : [401, 200, 401])
  expect((await profile(await tokenOf(responses[winner] as Response)))[0]).toBe(200)
})

test('a login whose password is changed while it is being verified fails', async () => {
  const { username, token } = await register()
  interrupt(users, 'findCredentials', async () => {
    expect((await changePassword(token)).status).toBe(200)
  })
  expect(await outcome(logIn(username))).toEqual([401, 'invalid-credentials'])
})

test('a login during which all tokens are revoked gets a token that is valid or none', async () => {
  const { user, username } = await register()
  // After the last check, while the token is being signed.
  interrupt(users, 'find', async () => void (await users.revokeTokens(user.id)))
  const login = await logIn(username)
  if (login.status === 200) expect(await profile(await tokenOf(login))).toEqual([401, 'invalid-token'])
  else expect(login.status).toBe(401)
})

test('a login whose account is deleted while the password is being verified fails', async () => {
  const { user, username } = await register()
  interrupt(
    users,
    'findCredentials',
    async () => void (await users.remove(user.id, { eraseMessages: false })),
  )
  expect(await outcome(logIn(username))).toEqual([401, 'invalid-credentials'])
})

test('many logins during a deletion leave no valid token', async () => {
  const { username, token } = await register()
  const logins = Array.from({ length: 8 }, () => logIn(username))
  const deleted = deleteProfile(token)
  const responses = await Promise.all(logins)
  expect((await deleted).status).toBe(200)
  for (const response of responses) {
    if (response.status === 200) expect((await profile(await tokenOf(response)))[0]).toBe(401)
  }
  expect((await logIn(username)).status).toBe(401)
})

test('an account whose password is changed during its deletion is kept', async () => {
  const { user, username, token } = await register()
  interrupt(users, 'findCredentials', async () => {
    const hash = await Bun.password.hash(newPassword)
    expect(await users.changePassword(user.id, { to: hash })).toBeDefined()
  })
  expect(await outcome(deleteProfile(token))).toEqual([403, 'wrong-password'])
  expect((await logIn(username, newPassword)).status).toBe(200)
})

test('a password change whose hash is replaced in between, without a change of the password, succeeds', async () => {
  const { user, username, token } = await register()
  const before = await users.findCredentials(username)
  interrupt(users, 'findCredentials', async () => {
    const to = await Bun.password.hash(password)
    expect(await users.rehash(user.id, { from: before?.passwordHash ?? '', to })).toBe(true)
  })
  expect((await changePassword(token)).status).toBe(200)
  expect((await logIn(username, newPassword)).status).toBe(200)
})

test('a late replacement of an outdated hash does not restore an old password', async () => {
  const { user, username } = await register()
  const outdated = await Bun.password.hash(password, { algorithm: 'argon2id', memoryCost: 8, timeCost: 1 })
  const current = await users.findCredentials(username)
  await users.rehash(user.id, { from: current?.passwordHash ?? '', to: outdated })
  const { promise: replaced, resolve } = Promise.withResolvers<void>()
  const { rehash } = users
  users.rehash = async (id, hashes) => {
    // The password is changed between the login and the replacement of its hash.
    await users.changePassword(user.id, { to: await Bun.password.hash(newPassword) })
    users.rehash = rehash
    const result = await rehash(id, hashes)
    resolve()
    return result
  }
  expect((await logIn(username)).status).toBe(200)
  await replaced
  expect((await logIn(username)).status).toBe(401)
  expect((await logIn(username, newPassword)).status).toBe(200)
})

test('a renewal that races a logout everywhere leaves no valid token', async () => {
  for (let i = 0; i < 5; i++) {
    const { token } = await register()
    const [renewal, logout] = await Promise.all([
      service.post('/api/auth/refresh', {}, bearer(token)),
      logOut(token, true),
    ])
    expect(logout.status).toBe(200)
    if (renewal.status === 200) expect((await profile(await tokenOf(renewal)))[0]).toBe(401)
    else expect(renewal.status).toBe(401)
  }
})

test('a renewal whose token is revoked while the new token is being signed is refused', async () => {
  const { token } = await register()
  expect((await profile(token))[0]).toBe(200)
  // The renewal reads the account after it has signed the new token.
  interrupt(users, 'find', async () => expect((await logOut(token)).status).toBe(200))
  expect(await outcome(service.post('/api/auth/refresh', {}, bearer(token)))).toEqual([401, 'invalid-token'])
})

test('messages that are sent during a logout are acknowledged and stored, or refused and not stored', async () => {
  const { username, token } = await register()
  const reader = await register()
  const client = await connect(service.url, token)
  const acknowledged: string[] = []
  const sends = Array.from({ length: 50 }, async (_, sender) => {
    for (let i = 0; ; i++) {
      const message = `${username} ${sender} ${i}`
      const response = await service.post('/api/chats/send', { message }, bearer(token))
      if (response.status !== 200) return outcome(response)
      acknowledged.push(message)
    }
  })
  while (acknowledged.length < 60) await Bun.sleep(1)
  expect((await logOut(token)).status).toBe(200)
  for (const refused of await Promise.all(sends)) expect(refused).toEqual([401, 'invalid-token'])
  expect(await client.closed).toEqual({ code: 3000, reason: 'logged-out' })
  const stored = (await readHistory(service, reader.token)).filter((text) => text.startsWith(`${username} `))
  expect(stored.toSorted()).toEqual(acknowledged.toSorted())
})

test('no message of a deleted user is stored after the messages were erased', async () => {
  const { user, username, token } = await register()
  const reader = await register()
  let stop = false
  const client = await connect(service.url, token)
  const sending = (async () => {
    for (let i = 0; !stop; i++) {
      client.send({ message: `${username} by socket ${i}` })
      await service.post('/api/chats/send', { message: `${username} ${i}` }, bearer(token))
    }
  })()
  await Bun.sleep(30)
  const body = { password, eraseMessages: true }
  expect((await service.post('/api/users/profile', body, bearer(token), 'DELETE')).status).toBe(200)
  expect((await client.closed).reason).toBe('account-removed')
  stop = true
  await sending
  const response = await service.get('/api/chats/messages?limit=200', reader.token)
  const { messages } = (await response.json()) as { messages: { user: { id: string } }[] }
  expect(messages.filter((each) => each.user.id === user.id)).toEqual([])
})
