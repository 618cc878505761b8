import { expect, test } from 'bun:test'
import { createAccount, uniqueName } from './support/accounts.ts'
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
const pinged = await startServer('documented-pings', {}, 'documented')
const crowded = await startServer('few-sockets', { MAX_SOCKETS: '2', MAX_SOCKETS_PER_USER: '1' })

const limited = { expect: 'rate-limit-exceeded' }

test('every response contains the remaining requests of the documented quota, for an address or for a user', async () => {
  const [one, other] = [await createAccount(counted), await createAccount(counted)]
  for (const { token } of [one, one, other]) {
    await call(counted, 'getProfile', { token })
    await call(counted, 'listMessages', { token })
    const sent = await call(counted, 'sendMessage', { token, body: { message: 'x' } })
    await call(counted, 'getMessage', { token, path: { id: idIn(sent) } })
  }
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

test('pings have their own quota for each user', async () => {
  const { rateLimit } = contract.channel.messages.find((one) => one.name === 'ping') ?? {}
  const { quota = 0, window = 0 } = rateLimit ?? {}
  // The wait is the whole window only if the quota is exceeded within one second of the server's clock.
  for (let wait = 0; wait !== window; ) {
    const socket = await connect(pinged, await createAccount(pinged))
    for (let count = 0; count < quota; count++)
      expect((await socket.turn('{"event":"ping"}')).event).toBe('pong')
    wait = (await socket.turn('{"event":"ping"}', 'rate-limit-exceeded')).retryAfter
    // A message is counted by another policy.
    expect((await socket.turn(JSON.stringify({ message: uniqueName() }))).event).toBe('message')
    socket.close()
  }
  const other = await connect(pinged, await createAccount(pinged))
  expect((await other.turn('{"event":"ping"}')).event).toBe('pong')
  other.close()
})

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

  const socket = await connect(tight, { token })
  await rejectedHandshake(tight, { token, ...limited })
  const refusals = contract.channel.closeCodes['rate-limited']?.refusals ?? 0
  await socket.turn('{"event":"ping"}')
  await socket.turn('{"event":"ping"}', 'rate-limit-exceeded')
  for (let refusal = 1; refusal < refusals; refusal++)
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
