import { describe, expect, test } from 'bun:test'
import type { PortMethod } from './support/asynchronous-ports.ts'
import {
  credentials,
  keepChangingAccounts,
  readHistory,
  startAsynchronous,
} from './support/asynchronous-service.ts'
import { connect } from './support/chat-client.ts'
import { refusedHandshake } from './support/raw-http.ts'
import { bearer, outcome, type Service } from './support/service.ts'

describe('over HTTP', () => {
  test('a user registers, logs in, reads the profile, sends a message and finds it in the history', async () => {
    await using service = await startAsynchronous()
    const registered = await service.post('/api/auth/register', credentials)
    expect(registered.status).toBe(201)
    expect(await outcome(service.post('/api/auth/register', credentials))).toEqual([409, 'username-taken'])
    const { user } = (await registered.json()) as { user: { id: string } }
    const wrong = { ...credentials, password: 'a wrong password' }
    expect(await outcome(service.post('/api/auth/login', wrong))).toEqual([401, 'invalid-credentials'])
    const login = await service.post('/api/auth/login', credentials)
    const { token } = (await login.json()) as { token: string }
    for (let i = 0; i < 3; i++) {
      expect(await (await service.get('/api/users/profile', token)).json()).toEqual({ user })
    }
    for (const message of ['one', 'two']) {
      expect((await service.post('/api/chats/send', { message }, bearer(token))).status).toBe(200)
    }
    expect(await readHistory(service, token)).toEqual(['one', 'two'])
    const invalid = service.get('/api/users/profile', 'invalid')
    expect(await outcome(invalid)).toEqual([401, 'invalid-token'])
    // Every method of the ports that these requests need has been called.
    expect(new Set(service.calls.keys())).toEqual(
      new Set<PortMethod>([
        'users.add',
        'users.find',
        'users.findCredentials',
        'users.isTaken',
        'revocations.isRevoked',
        'messageLog.append',
        'messageLog.readBefore',
        'rateLimits.count',
        'loginGuard.attempt',
        'loginGuard.succeed',
      ]),
    )
  })

  test('bodies that arrive while the identity is being read are complete', async () => {
    await using service = await startAsynchronous({})
    const { user, token } = await service.account('someone')
    using _ = keepChangingAccounts(service, user.id)
    const texts = Array.from({ length: 40 }, (_, i) => `${i} ${'a'.repeat(4000)}`)
    const sent = await Promise.all(
      texts.map((message) => service.post('/api/chats/send', { message }, bearer(token))),
    )
    expect(sent.map(({ status }) => status)).toEqual(texts.map(() => 200))
    expect((await readHistory(service, token)).toSorted()).toEqual(texts.toSorted())
  })

  test('parallel responses have their own rate-limit counts, and requests beyond the quota are refused', async () => {
    await using service = await startAsynchronous({ RATE_LIMITS: 'on', RATE_LIMIT_READ: '20/60' })
    const { token } = await service.account('someone')
    const responses = await Promise.all(
      Array.from({ length: 30 }, () => service.get('/api/users/profile', token)),
    )
    const admitted = responses.filter(({ status }) => status === 200)
    const refused = responses.filter(({ status }) => status === 429)
    expect([admitted.length, refused.length]).toEqual([20, 10])
    const remaining = (response: Response) =>
      Number(/^"read";r=(\d+);t=\d+$/.exec(response.headers.get('ratelimit') ?? '')?.[1])
    expect(admitted.map(remaining).sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i))
    expect(new Set(refused.map(remaining))).toEqual(new Set([0]))
    for (const response of refused) expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
    for (const response of responses) {
      expect(response.headers.get('ratelimit-policy')).toBe('"read";q=20;w=60')
    }
  })

  test('a user renews the token, changes the password, logs out and deletes the account', async () => {
    await using service = await startAsynchronous()
    await service.post('/api/auth/register', credentials)
    const tokenOf = async (response: Response) => ((await response.json()) as { token: string }).token
    const first = await tokenOf(await service.post('/api/auth/login', credentials))
    const renewed = await tokenOf(await service.post('/api/auth/refresh', {}, bearer(first)))
    expect((await service.post('/api/auth/logout', {}, bearer(first))).status).toBe(200)
    expect(await outcome(service.get('/api/users/profile', first))).toEqual([401, 'invalid-token'])
    const change = { currentPassword: credentials.password, newPassword: 'another long password' }
    const changed = await tokenOf(await service.post('/api/users/password', change, bearer(renewed)))
    expect(await outcome(service.get('/api/users/profile', renewed))).toEqual([401, 'invalid-token'])
    expect((await service.post('/api/auth/logout', { everywhere: true }, bearer(changed))).status).toBe(200)
    const login = { ...credentials, password: change.newPassword }
    const last = await tokenOf(await service.post('/api/auth/login', login))
    await service.post('/api/chats/send', { message: 'Hello' }, bearer(last))
    const body = { password: login.password, eraseMessages: true }
    expect((await service.post('/api/users/profile', body, bearer(last), 'DELETE')).status).toBe(200)
    expect(await outcome(service.post('/api/auth/login', login))).toEqual([401, 'invalid-credentials'])
    const reader = await service.account('reader')
    expect(await readHistory(service, reader.token)).toEqual([])
  })

  test('parallel failed logins are throttled', async () => {
    await using service = await startAsynchronous({})
    const responses = await Promise.all(
      Array.from({ length: 8 }, () => service.post('/api/auth/login', credentials)),
    )
    const statuses = responses.map(({ status }) => status)
    expect(statuses.filter((status) => status === 401).length).toBeGreaterThanOrEqual(5)
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(1)
  })

  test('a removed account is refused, although its token was cached', async () => {
    await using service = await startAsynchronous()
    const { user, token } = await service.account('someone')
    for (let i = 0; i < 2; i++) expect((await service.get('/api/users/profile', token)).status).toBe(200)
    expect(await service.storage.users.remove(user.id, { eraseMessages: false })).toBe(true)
    expect(await outcome(service.get('/api/users/profile', token))).toEqual([401, 'invalid-token'])
  })
})

describe('a failure of the storage', () => {
  const unavailable: [number, string] = [503, 'storage-unavailable']

  test.each<[PortMethod, (service: Service, token: string) => Promise<Response>]>([
    ['users.isTaken', ({ post }) => post('/api/auth/register', credentials)],
    ['users.add', ({ post }) => post('/api/auth/register', credentials)],
    ['users.findCredentials', ({ post }) => post('/api/auth/login', credentials)],
    ['loginGuard.attempt', ({ post }) => post('/api/auth/login', credentials)],
    ['users.find', ({ get }, token) => get('/api/users/profile', token)],
    ['rateLimits.count', ({ get }, token) => get('/api/users/profile', token)],
    ['rateLimits.count', ({ post }) => post('/api/auth/login', credentials)],
    ['users.find', ({ post }, token) => post('/api/chats/send', { message: 'a' }, bearer(token))],
    ['messageLog.append', ({ post }, token) => post('/api/chats/send', { message: 'a' }, bearer(token))],
    ['messageLog.readBefore', ({ get }, token) => get('/api/chats/messages', token)],
    ['messageLog.readAfter', ({ get }, token) => get('/api/chats/messages?after=a', token)],
  ])('in %s is a 503, and the service recovers', async (method, request) => {
    await using service = await startAsynchronous()
    const { token } = await service.account('other')
    service.outages.add(method)
    const response = await request(service, token)
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await outcome(response)).toEqual(unavailable)
    service.outages.clear()
    const repeated = await request(service, token)
    expect(repeated.status).not.toBe(503)
  })

  test('while a cached identity is read again is a 503, and the request is counted', async () => {
    await using service = await startAsynchronous({ RATE_LIMITS: 'on', RATE_LIMIT_READ: '5/60' })
    const { user, token } = await service.account('someone')
    expect((await service.get('/api/users/profile', token)).status).toBe(200)
    service.outages.add('users.find')
    await service.storage.users.rehash(user.id, { from: 'no hash', to: 'new hash' })
    const statuses: number[] = []
    for (let i = 0; i < 7; i++) statuses.push((await service.get('/api/users/profile', token)).status)
    // Without an identity, the address is counted.
    expect(statuses).toEqual([503, 503, 503, 503, 503, 429, 429])
    service.outages.clear()
    expect((await service.get('/api/users/profile', token)).status).toBe(200)
  })

  test.each<PortMethod>(['users.find', 'messageLog.append', 'rateLimits.count'])(
    'in %s is an error frame, and the connection stays open',
    async (method) => {
      await using service = await startAsynchronous()
      const { user, token } = await service.account('sender')
      const client = await connect(service.url, token)
      await service.storage.users.rehash(user.id, { from: 'no hash', to: 'new hash' })
      service.outages.add(method)
      client.send({ message: 'one', idempotencyKey: 'key' })
      expect(await client.next()).toMatchObject({
        event: 'error',
        idempotencyKey: 'key',
        problem: { code: 'storage-unavailable' },
        retryAfter: expect.any(Number),
      })
      service.outages.clear()
      client.send({ message: 'one', idempotencyKey: 'key' })
      expect(await client.next()).toMatchObject({ event: 'message', message: 'one' })
      await client.close()
    },
  )

  test('during a handshake is a 503, and occupies no slot', async () => {
    await using service = await startAsynchronous({ RATE_LIMITS: 'on', MAX_SOCKETS_PER_USER: '1' })
    const { token } = await service.account('someone')
    for (const method of ['users.find', 'rateLimits.count'] as const) {
      service.outages.add(method)
      const refused = await refusedHandshake(service.url, bearer(token))
      expect([refused.status, JSON.parse(refused.body).code]).toEqual(unavailable)
      service.outages.clear()
    }
    await (await connect(service.url, token)).close()
  })

  test('during a replay closes the connection with the code for an internal error', async () => {
    await using service = await startAsynchronous()
    const { token } = await service.account('someone')
    const client = await connect(service.url, token)
    client.send({ message: 'one' })
    const { id } = await client.next()
    service.outages.add('messageLog.readAfter')
    const resumed = await connect(service.url, token, { path: `/?after=${id}` })
    expect(await resumed.closed).toEqual({ code: 1011, reason: 'internal-error' })
    service.outages.clear()
    await client.close()
  })

  test('during the check of connections is logged, and the next check closes the removed account', async () => {
    await using service = await startAsynchronous()
    const { user, token } = await service.account('someone')
    const client = await connect(service.url, token)
    await service.storage.users.remove(user.id, { eraseMessages: false })
    service.outages.add('users.find')
    while (!service.lines.join().includes('storage-unavailable')) await Bun.sleep(10)
    service.outages.clear()
    expect(await client.closed).toEqual({ code: 3000, reason: 'account-removed' })
  })
})

describe('a stop', () => {
  test('completes a request that has been authenticated', async () => {
    const service = await startAsynchronous()
    const { token } = await service.account('sender')
    const sent = service.post('/api/chats/send', { message: 'Hello' }, bearer(token))
    while (!service.calls.has('messageLog.append')) await Bun.sleep(0)
    await service[Symbol.asyncDispose]()
    expect((await sent).status).toBe(200)
  })

  test('refuses a request that is still being authenticated', async () => {
    const service = await startAsynchronous()
    const { token } = await service.account('sender')
    const sent = service.post('/api/chats/send', { message: 'Hello' }, bearer(token))
    while (!service.calls.has('users.find')) await Bun.sleep(0)
    await service[Symbol.asyncDispose]()
    expect(await outcome(sent)).toEqual([503, 'shutting-down'])
  })

  test('completes the frames that were received', async () => {
    const service = await startAsynchronous({ RATE_LIMITS: 'on', RATE_LIMIT_SEND: '1000/60' })
    const { token } = await service.account('sender')
    const client = await connect(service.url, token)
    const messages = Array.from({ length: 20 }, (_, i) => `message ${i}`)
    for (const message of messages) client.send({ message })
    expect((await client.next()).message).toBe('message 0')
    await service[Symbol.asyncDispose]()
    expect((await client.closed).code).toBe(1012)
    expect(client.received().map(({ message }) => message)).toEqual(messages.slice(1))
  })
})
