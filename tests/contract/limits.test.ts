import { expect, test } from 'bun:test'
import { type Account, createAccount, uniqueName } from './support/accounts.ts'
import { contract, operationOf, rateLimitsOf } from './support/contract.ts'
import { call, idIn, malformedHandshake, rejectedHandshake } from './support/http-client.ts'
import { startServer } from './support/server.ts'
import { connect } from './support/socket-client.ts'
import { setUpTestFile } from './support/test-file.ts'

setUpTestFile()

/** Has the documented quotas. */
const counted = await startServer('documented-limits', {}, 'documented')
const policies = rateLimitsOf(contract).map((one) => one.policy)
/** Allows one request for each policy, so that the second one is rejected. */
const tight = await startServer(
  'tight-limits',
  Object.fromEntries(policies.map((one) => [`RATE_LIMIT_${one.toUpperCase()}`, '1/60'])),
  'unknown',
)
const framed = await startServer('documented-frames', {}, 'documented')
const crowded = await startServer('few-sockets', { MAX_SOCKETS: '2', MAX_SOCKETS_PER_USER: '1' })

const limited = { expect: 'rate-limit-exceeded' }

test('every response contains the remaining requests of the documented quota, for an address or for a user', async () => {
  const [one, other] = [await createAccount(counted), await createAccount(counted)]
  for (const { token } of [one, one, other]) {
    await call(counted, 'getProfile', { token })
    await call(counted, 'listMessages', { token })
    const sent = await call(counted, 'sendMessage', { token, body: { message: 'x' } })
    await call(counted, 'getMessage', { token, path: { id: idIn(sent) } })
    await call(counted, 'createRoom', { token, body: { name: 'Reading club' } })
  }
  // Renewed tokens count for the same user.
  const renewed = (await call(counted, 'refreshToken', { token: one.token })).body.token
  await call(counted, 'refreshToken', { token: renewed })
  await call(counted, 'logoutUser', { token: renewed, body: {} })
  const others = (await call(counted, 'refreshToken', { token: other.token })).body.token
  await call(counted, 'logoutUser', { token: others, body: {} })
  const changed = { currentPassword: other.password, newPassword: 'another long password' }
  const { token } = (await call(counted, 'changePassword', { token: other.token, body: changed })).body
  other.token = token
  const wrong = { token, body: { password: 'not the password' }, expect: 'wrong-password' }
  await call(counted, 'deleteProfile', wrong)
  await rejectedHandshake(counted)
  const socket = await connect(counted, one)
  await socket.turn(JSON.stringify({ message: 'y' }))
  socket.close()
  await call(counted, 'sendMessage', { token: one.token, body: { message: 'x' } })
  // A valid token counts for its user, in the header and in the subprotocol; other handshakes for the address.
  await rejectedHandshake(counted, { token: one.token, query: { unknown: 'x' } })
  const bySubprotocol = await connect(counted, { ...other, by: 'subprotocol' })
  bySubprotocol.close()
  await rejectedHandshake(counted, { token: other.token, query: { unknown: 'x' } })
  await rejectedHandshake(counted, { token: 'not-a-token', expect: 'invalid-token' })
  await malformedHandshake(counted, { 'sec-websocket-version': '12' }, { token: one.token })
  await malformedHandshake(counted, { 'sec-websocket-key': '' }, { token: one.token })
})

for (const { name, rateLimit } of contract.channel.messages) {
  // Messages share the policy of an operation.
  if (!rateLimit || contract.operations.some((one) => one.rateLimit.policy === rateLimit.policy)) continue
  test(`frames of the kind ${name} have their own quota for each user`, async () => {
    const { quota, window } = rateLimit
    const frameOf = ({ token }: Account) =>
      JSON.stringify({ event: name, ...(name === 'authenticate' && { token }) })
    const reply = { ping: 'pong', authenticate: 'authenticated' }[name] ?? ''
    // The wait is the whole window only if the quota is exceeded within one second of the server's clock.
    for (let wait = 0; wait !== window; ) {
      const account = await createAccount(framed)
      const [socket, frame] = [await connect(framed, account), frameOf(account)]
      for (let count = 0; count < quota; count++) expect((await socket.turn(frame)).event).toBe(reply)
      wait = (await socket.turn(frame, 'rate-limit-exceeded')).retryAfter
      // A message is counted by another policy.
      expect((await socket.turn(JSON.stringify({ message: uniqueName() }))).event).toBe('message')
      socket.close()
    }
    const account = await createAccount(framed)
    const other = await connect(framed, account)
    expect((await other.turn(frameOf(account))).event).toBe(reply)
    other.close()
  })
}

test('after too many failures a login is throttled', async () => {
  const guard = operationOf(contract, 'loginUser').loginGuard
  const body = { username: uniqueName(), password: 'x' }
  for (let failure = 0; failure < (guard?.['free-failures'] ?? 0); failure++) {
    await call(counted, 'loginUser', { body, expect: 'invalid-credentials' })
  }
  await call(counted, 'loginUser', {
    body: { ...body, username: body.username.toUpperCase() },
    expect: 'login-throttled',
  })
})

test('after too many wrong passwords, their further use is throttled wherever a password is asked for', async () => {
  const { username, token } = await createAccount(counted)
  const newPassword = 'another long password'
  const guard = operationOf(contract, 'changePassword').loginGuard
  const failures = guard?.['free-failures'] ?? 0
  for (let failure = 0; failure < failures - 1; failure++) {
    const body = { currentPassword: `guess ${failure}`, newPassword }
    await call(counted, 'changePassword', { token, body, expect: 'wrong-password' })
  }
  await call(counted, 'deleteProfile', { token, body: { password: 'a guess' }, expect: 'wrong-password' })
  const throttled = { expect: 'login-throttled' }
  await call(counted, 'deleteProfile', { token, body: { password: 'a guess' }, ...throttled })
  const body = { currentPassword: 'a guess', newPassword }
  await call(counted, 'changePassword', { token, body, ...throttled })
  await call(counted, 'loginUser', { body: { username, password: 'a guess' }, ...throttled })
})

test('each operation rejects requests over its quota', async () => {
  const { token } = await createAccount(tight)
  const account = { username: uniqueName(), password: 'x'.repeat(12) }
  await call(tight, 'registerUser', { body: account, ...limited })
  await call(tight, 'loginUser', { body: account, ...limited })
  await call(tight, 'getProfile', { token })
  await call(tight, 'getProfile', { token, ...limited })
  await call(tight, 'listMessages', { token, ...limited })
  await call(tight, 'getMessage', { token, path: { id: 'x' }, ...limited })
  await call(tight, 'sendMessage', { token, body: { message: 'x' } })
  await call(tight, 'sendMessage', { token, body: { message: 'x' }, ...limited })

  await call(tight, 'refreshToken', { token })
  await call(tight, 'refreshToken', { token, ...limited })
  await call(tight, 'logoutUser', { token, body: {}, ...limited })
  const wrong = { password: 'not the password' }
  await call(tight, 'deleteProfile', { token, body: wrong, expect: 'wrong-password' })
  await call(tight, 'deleteProfile', { token, body: wrong, ...limited })
  const change = { currentPassword: 'not the password', newPassword: account.password }
  await call(tight, 'changePassword', { token, body: change, ...limited })

  await call(tight, 'listRooms', { token, ...limited })
  await call(tight, 'getRoom', { token, path: { room: 'x' }, ...limited })
  await call(tight, 'listMembers', { token, path: { room: 'x' }, ...limited })
  await call(tight, 'createRoom', { token, body: { name: 'x' } })
  await call(tight, 'createRoom', { token, body: { name: 'x' }, ...limited })
  await call(tight, 'updateRoom', { token, path: { room: 'x' }, body: { name: 'x' }, ...limited })
  await call(tight, 'removeRoom', { token, path: { room: 'x' }, ...limited })
  const path = { room: 'x', username: 'someone' }
  await call(tight, 'setMember', { token, path, body: {}, ...limited })
  await call(tight, 'removeMember', { token, path, ...limited })
  await call(tight, 'openDirectRoom', { token, path: { username: 'someone' }, ...limited })

  const socket = await connect(tight, { token })
  await rejectedHandshake(tight, { token, ...limited })
  const refusals = contract.channel.closeCodes['rate-limited']?.refusals ?? 0
  await socket.turn('{"event":"ping"}')
  await socket.turn(JSON.stringify({ event: 'authenticate', token }))
  await socket.turn('{"event":"ping"}', 'rate-limit-exceeded')
  await socket.turn(JSON.stringify({ event: 'authenticate', token }), 'rate-limit-exceeded')
  for (let refusal = 2; refusal < refusals; refusal++)
    await socket.turn('{"message":"Hello, world!"}', 'rate-limit-exceeded')
  await socket.closed('rate-limited')
})

test('the number of WebSockets is limited for each user and for the server', async () => {
  const accounts = [
    await createAccount(crowded),
    await createAccount(crowded),
    await createAccount(crowded),
  ] as const
  const first = await connect(crowded, accounts[0])
  await rejectedHandshake(crowded, { token: accounts[0].token, expect: 'too-many-sockets' })
  const second = await connect(crowded, accounts[1])
  await rejectedHandshake(crowded, { token: accounts[2].token, expect: 'sockets-exhausted' })
  expect([...first.frames, ...second.frames]).toEqual([])
  first.close()
  second.close()
})
