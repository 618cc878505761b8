import { describe, expect, test } from 'bun:test'
import { allOperations } from '../../../src/contract/operations.ts'
import { policyNames } from '../../../src/contract/policies.ts'
import { connect } from '../support/chat-client.ts'
import { refusedHandshake } from '../support/raw-http.ts'
import { bearer, outcome, startService } from '../support/service.ts'

const startLimited = (overrides: Record<string, string> = {}) =>
  startService({ RATE_LIMITS: 'on', ...overrides })

describe('over HTTP', () => {
  test('every response of an operation has the headers of its policy', async () => {
    await using service = await startLimited()
    for (const { method, path, rateLimit } of allOperations) {
      const { policy, quota, window } = rateLimit
      const response = await fetch(service.url + path, { method })
      expect(response.headers.get('ratelimit-policy')).toBe(`"${policy}";q=${quota};w=${window}`)
      expect(response.headers.get('ratelimit')).toMatch(new RegExp(`^"${policy}";r=\\d+;t=\\d+$`))
    }
  })

  test('a request beyond the quota has no effect, and its response has Retry-After', async () => {
    await using service = await startLimited({ RATE_LIMIT_REGISTER: '2/60' })
    const body = (n: number) => ({ username: `someone-${n}`, password: 'x' })
    for (let n = 0; n < 2; n++) expect((await service.post('/api/auth/register', body(n))).status).toBe(422)
    const refused = await service.post('/api/auth/register', {
      username: 'someone',
      password: 'a long password',
    })
    expect(refused.headers.get('ratelimit')).toMatch(/^"register";r=0;t=\d+$/)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await outcome(refused)).toEqual([429, 'rate-limit-exceeded'])
    using file = service.openFile()
    expect(file.query('select count(*) as count from users').get()).toEqual({ count: 0 })
  })

  test('a malformed request, a too large one and one for another API version are counted', async () => {
    await using service = await startLimited({ RATE_LIMIT_LOGIN: '3/60' })
    const login = (body: string, headers: Record<string, string> = {}) =>
      fetch(`${service.url}/api/auth/login`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json', ...headers },
      })
    expect((await login('{')).status).toBe(400)
    expect((await login('{}', { 'api-version': '2' })).status).toBe(400)
    expect((await login('a'.repeat(70_000))).status).toBe(413)
    expect((await login('{}')).status).toBe(429)
  })

  test('users behind one address are counted separately; without a valid token, the address is counted', async () => {
    await using service = await startLimited({ RATE_LIMIT_READ: '2/60' })
    const [a, b] = [await service.account('user-a'), await service.account('user-b')]
    const profile = async (token?: string) => (await service.get('/api/users/profile', token)).status
    expect([await profile(a.token), await profile(a.token), await profile(a.token)]).toEqual([200, 200, 429])
    expect(await profile(b.token)).toBe(200)
    expect([
      await profile(),
      await profile('forged'),
      await profile('forged again'),
      await profile(),
    ]).toEqual([401, 401, 429, 429])
    expect(await profile(b.token)).toBe(200)
  })

  test('RATE_LIMITS=off disables the limits and their headers', async () => {
    await using service = await startService({ RATE_LIMITS: 'off' })
    const responses = await Promise.all(Array.from({ length: 700 }, () => service.get('/api/users/profile')))
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([401]))
    expect(responses[0]?.headers.get('ratelimit')).toBeNull()
    expect(responses[0]?.headers.get('ratelimit-policy')).toBeNull()
  })

  test('X-Forwarded-For is ignored unless the peer is a trusted proxy', async () => {
    await using service = await startLimited({ RATE_LIMIT_READ: '2/60' })
    const from = async (address: string) =>
      (await service.get('/api/users/profile', undefined, { 'x-forwarded-for': address })).status
    expect([await from('1.1.1.1'), await from('2.2.2.2'), await from('3.3.3.3')]).toEqual([401, 401, 429])
  })

  test('X-Forwarded-For of a trusted proxy identifies the client, even if the client adds addresses', async () => {
    await using service = await startLimited({ RATE_LIMIT_READ: '1/60', TRUSTED_PROXIES: '127.0.0.1' })
    const from = async (address: string) =>
      (await service.get('/api/users/profile', undefined, { 'x-forwarded-for': address })).status
    expect([await from('1.1.1.1'), await from('2.2.2.2')]).toEqual([401, 401])
    expect([await from('1.1.1.1'), await from('9.9.9.9, 1.1.1.1')]).toEqual([429, 429])
  })

  test('the quota and window of every policy can be overridden by a variable with its name', async () => {
    const overrides = Object.fromEntries(
      policyNames.map((name) => [`RATE_LIMIT_${name.toUpperCase()}`, '7/11']),
    )
    await using service = await startLimited(overrides)
    for (const { method, path, rateLimit } of allOperations) {
      const response = await fetch(service.url + path, { method })
      expect(response.headers.get('ratelimit-policy')).toBe(`"${rateLimit.policy}";q=7;w=11`)
    }
    const handshake = await refusedHandshake(service.url)
    expect(handshake.headers['ratelimit-policy']).toBe('"connect";q=7;w=11')
  })
})

describe('over WebSocket', () => {
  test('messages of one user by HTTP and by all sockets share one counter', async () => {
    await using service = await startLimited({ RATE_LIMIT_SEND: '3/60' })
    const { token } = await service.account('sender')
    const [first, second] = [await connect(service.url, token), await connect(service.url, token)]
    first.send({ message: 'one' })
    await first.next()
    second.send({ message: 'two' })
    await second.next()
    await second.next()
    const response = await service.post('/api/chats/send', { message: 'three' }, bearer(token))
    expect([response.status, response.headers.get('ratelimit')]).toEqual([
      200,
      expect.stringMatching(/^"send";r=0;t=/),
    ])
    expect((await service.post('/api/chats/send', { message: 'four' }, bearer(token))).status).toBe(429)
    second.send({ message: 'five' })
    await second.next()
    const refusal = await second.next()
    expect(refusal).toMatchObject({ event: 'error', problem: { code: 'rate-limit-exceeded' } })
    expect(refusal.retryAfter).toBeGreaterThan(0)
    await Promise.all([first.close(), second.close()])
  })

  test('ten consecutive refused frames, malformed ones included, close the connection with 1008', async () => {
    await using service = await startLimited({ RATE_LIMIT_SEND: '1/60' })
    const { token } = await service.account('sender')
    const client = await connect(service.url, token)
    client.send('not JSON')
    expect((await client.next()).problem).toMatchObject({ code: 'malformed-json' })
    for (let i = 0; i < 10; i++) client.send(i % 2 === 0 ? { message: 'again' } : 'not JSON')
    for (let i = 0; i < 10; i++)
      expect((await client.next()).problem).toMatchObject({ code: 'rate-limit-exceeded' })
    expect(await client.closed).toEqual({ code: 1008, reason: 'rate-limit-exceeded' })
  })

  test('a disconnect frame is not counted', async () => {
    await using service = await startLimited({ RATE_LIMIT_SEND: '1/60' })
    const { token } = await service.account('sender')
    const client = await connect(service.url, token)
    client.send({ message: 'one' })
    client.send({ message: 'two' })
    client.send({ event: 'disconnect' })
    expect((await client.closed).code).toBe(1000)
  })

  test('handshakes are counted by address', async () => {
    await using service = await startLimited({ RATE_LIMIT_CONNECT: '2/60' })
    const { token } = await service.account('sender')
    const clients = [await connect(service.url, token), await connect(service.url, token)]
    const refused = await refusedHandshake(service.url, bearer(token))
    expect([refused.status, JSON.parse(refused.body).code]).toEqual([429, 'rate-limit-exceeded'])
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    for (const client of clients) await client.close()
  })
})
