import { describe, expect, test } from 'bun:test'
import { allOperations } from '../../../src/contract/operations.ts'
import { createRateLimits } from '../../../src/limits/rate-limits.ts'
import { connect } from '../support/chat-client.ts'
import { refusedHandshake } from '../support/raw-http.ts'
import { bearer, outcome, policies, startService } from '../support/service.ts'

const on = (overrides: Record<string, string> = {}) => startService({ RATE_LIMITS: 'on', ...overrides })

describe('the windows, by a clock of the test', () => {
  const login = { policy: 'login', quota: 3, window: 60, partition: 'ip' } as const
  let time = 1_800_000_000
  const limits = createRateLimits({ enabled: true, overrides: {} })
  const limiter = limits.limiter(login)
  const count = (client: string) => {
    const counted = limiter?.count(limits.client(client), time)
    return counted && [counted.exceeded, limiter?.header(counted)]
  }

  test('headers as in the draft', () => {
    expect(limiter?.policyHeader).toBe('"login";q=3;w=60')
    expect(count('a')).toEqual([false, '"login";r=2;t=60'])
    time += 20
    expect(count('a')).toEqual([false, '"login";r=1;t=40'])
    expect(count('a')).toEqual([false, '"login";r=0;t=40'])
    expect(count('a')).toEqual([true, '"login";r=0;t=40'])
  })

  test('another client has a window of its own', () =>
    expect(count('b')).toEqual([false, '"login";r=2;t=60']))

  test('a refused request does not lengthen the window', () => {
    time += 39
    expect(count('a')).toEqual([true, '"login";r=0;t=1'])
    time += 1
    expect(count('a')).toEqual([false, '"login";r=2;t=60'])
  })

  test('the operator overrides quota and window', () => {
    const limits = createRateLimits({
      enabled: true,
      overrides: { login: { quota: 1, window: 5 } },
    })
    expect(limits.limiter(login)?.policyHeader).toBe('"login";q=1;w=5')
  })

  test('limits that are off count nothing', () => {
    expect(createRateLimits({ enabled: false, overrides: {} }).limiter(login)).toBeUndefined()
  })
})

describe('over HTTP', () => {
  test('each operation says its own policy, whatever it answers', async () => {
    await using service = await on()
    for (const { method, path, rateLimit } of allOperations) {
      const { policy, quota, window } = rateLimit
      const answer = await fetch(service.url + path, { method })
      expect(answer.headers.get('ratelimit-policy')).toBe(`"${policy}";q=${quota};w=${window}`)
      expect(answer.headers.get('ratelimit')).toMatch(new RegExp(`^"${policy}";r=\\d+;t=\\d+$`))
    }
  })

  test('beyond the quota there is Retry-After, and nothing is done', async () => {
    await using service = await on({ RATE_LIMIT_REGISTER: '2/60' })
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

  test('what is malformed, too large or of another version counts as well', async () => {
    await using service = await on({ RATE_LIMIT_LOGIN: '3/60' })
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

  test('users behind one address count apart, and without a valid token the address counts', async () => {
    await using service = await on({ RATE_LIMIT_READ: '2/60' })
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

  test('RATE_LIMITS=off counts nothing and says nothing', async () => {
    await using service = await startService({ RATE_LIMITS: 'off' })
    const answers = await Promise.all(Array.from({ length: 700 }, () => service.get('/api/users/profile')))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]))
    expect(answers[0]?.headers.get('ratelimit')).toBeNull()
    expect(answers[0]?.headers.get('ratelimit-policy')).toBeNull()
  })

  test('X-Forwarded-For of anyone else gains nothing', async () => {
    await using service = await on({ RATE_LIMIT_READ: '2/60' })
    const from = async (address: string) =>
      (await service.get('/api/users/profile', undefined, { 'x-forwarded-for': address })).status
    expect([await from('1.1.1.1'), await from('2.2.2.2'), await from('3.3.3.3')]).toEqual([401, 401, 429])
  })

  test('X-Forwarded-For of a trusted proxy tells the clients apart, whatever they claim', async () => {
    await using service = await on({ RATE_LIMIT_READ: '1/60', TRUSTED_PROXIES: '127.0.0.1' })
    const from = async (address: string) =>
      (await service.get('/api/users/profile', undefined, { 'x-forwarded-for': address })).status
    expect([await from('1.1.1.1'), await from('2.2.2.2')]).toEqual([401, 401])
    expect([await from('1.1.1.1'), await from('9.9.9.9, 1.1.1.1')]).toEqual([429, 429])
  })

  test('every policy can be overridden by its name', async () => {
    const overrides = Object.fromEntries(policies.map((name) => [`RATE_LIMIT_${name.toUpperCase()}`, '7/11']))
    await using service = await on(overrides)
    for (const { method, path, rateLimit } of allOperations) {
      const answer = await fetch(service.url + path, { method })
      expect(answer.headers.get('ratelimit-policy')).toBe(`"${rateLimit.policy}";q=7;w=11`)
    }
    const handshake = await refusedHandshake(service.url)
    expect(handshake.headers['ratelimit-policy']).toBe('"connect";q=7;w=11')
  })
})

describe('on the socket', () => {
  test('HTTP and every socket of a user share one count of messages', async () => {
    await using service = await on({ RATE_LIMIT_SEND: '3/60' })
    const { token } = await service.account('sender')
    const [first, second] = [await connect(service.url, token), await connect(service.url, token)]
    first.send({ message: 'one' })
    await first.next()
    second.send({ message: 'two' })
    await second.next()
    await second.next()
    const answer = await service.post('/api/chats/send', { message: 'three' }, bearer(token))
    expect([answer.status, answer.headers.get('ratelimit')]).toEqual([
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

  test('ten refusals in a row close it with 1008, and what is malformed counts as well', async () => {
    await using service = await on({ RATE_LIMIT_SEND: '1/60' })
    const { token } = await service.account('sender')
    const client = await connect(service.url, token)
    client.send('no JSON')
    expect((await client.next()).problem).toMatchObject({ code: 'malformed-json' })
    for (let i = 0; i < 10; i++) client.send(i % 2 === 0 ? { message: 'again' } : 'no JSON')
    for (let i = 0; i < 10; i++)
      expect((await client.next()).problem).toMatchObject({ code: 'rate-limit-exceeded' })
    expect(await client.closed).toEqual({ code: 1008, reason: 'rate-limit-exceeded' })
  })

  test('disconnect is not counted', async () => {
    await using service = await on({ RATE_LIMIT_SEND: '1/60' })
    const { token } = await service.account('sender')
    const client = await connect(service.url, token)
    client.send({ message: 'one' })
    client.send({ message: 'two' })
    client.send({ event: 'disconnect' })
    expect((await client.closed).code).toBe(1000)
  })

  test('connections are counted by address', async () => {
    await using service = await on({ RATE_LIMIT_CONNECT: '2/60' })
    const { token } = await service.account('sender')
    const clients = [await connect(service.url, token), await connect(service.url, token)]
    const refused = await refusedHandshake(service.url, bearer(token))
    expect([refused.status, JSON.parse(refused.body).code]).toEqual([429, 'rate-limit-exceeded'])
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    for (const client of clients) await client.close()
  })
})
