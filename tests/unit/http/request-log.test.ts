import { expect, test } from 'bun:test'
import { bearer, type Service, startService } from '../support/service.ts'

/** The log lines of the requests so far. */
const requestLines = ({ lines }: Service) =>
  lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'request')

test('each response has its own request id, and its log line has the same id', async () => {
  await using service = await startService({ RATE_LIMITS: 'on' })
  const { token } = await service.account('someone')
  const responses = [
    await service.get('/api/users/profile', token),
    await service.post('/api/chats/send', { message: 'Hello' }, bearer(token)),
    await service.get('/api/users/profile', token),
    await service.get('/api/users/profile', 'not a token'),
    await service.get('/api/users/profile', token),
  ]
  const ids = responses.map(({ headers }) => headers.get('x-request-id'))
  expect(new Set(ids).size).toBe(responses.length)
  expect(requestLines(service)).toMatchObject([
    { method: 'GET', route: '/api/users/profile', status: 200, requestId: ids[0] },
    { method: 'POST', route: '/api/chats/send', status: 200, requestId: ids[1] },
    { method: 'GET', route: '/api/users/profile', status: 200, requestId: ids[2] },
    { method: 'GET', route: '/api/users/profile', status: 401, requestId: ids[3] },
    { method: 'GET', route: '/api/users/profile', status: 200, requestId: ids[4] },
  ])
  for (const { ms } of requestLines(service)) expect(ms).toBeGreaterThan(0)
})

test('parallel responses have their own request ids and their own rate-limit counts', async () => {
  await using service = await startService({ RATE_LIMITS: 'on' })
  const { token } = await service.account('someone')
  const responses = await Promise.all(
    Array.from({ length: 50 }, () => service.get('/api/users/profile', token)),
  )
  const of = (name: string) => new Set(responses.map(({ headers }) => headers.get(name)))
  expect(of('x-request-id').size).toBe(50)
  expect(of('ratelimit').size).toBe(50)
  expect(of('ratelimit-policy').size).toBe(1)
})

test('a HEAD request has the status of GET, and is logged as HEAD', async () => {
  await using service = await startService()
  const { token } = await service.account('someone')
  const response = await fetch(`${service.url}/api/users/profile`, { method: 'HEAD', headers: bearer(token) })
  expect(response.status).toBe(200)
  expect(requestLines(service)).toMatchObject([{ method: 'HEAD', route: '/api/users/profile', status: 200 }])
})

const profile = '/api/users/profile'

test('the line of a success names the client and the user', async () => {
  await using service = await startService()
  const { user, token } = await service.account('someone')
  const response = await service.get(profile, token)
  expect(requestLines(service)).toEqual([
    expect.objectContaining({
      method: 'GET',
      route: profile,
      status: 200,
      requestId: response.headers.get('x-request-id'),
      ms: expect.any(Number),
      client: '127.0.0.1',
      user: user.id,
    }),
  ])
  expect(requestLines(service)[0]).not.toHaveProperty('code')
})

test('the line of a problem has its code, and the user if the request was authenticated', async () => {
  await using service = await startService({ RATE_LIMITS: 'on', RATE_LIMIT_SEND: '1/60' })
  const { user, token } = await service.account('someone')
  const send = (body: object) => service.post('/api/chats/send', body, bearer(token))
  await send({ message: 1 })
  await send({ message: 'Hello' })
  await service.get(profile)
  await service.get('/nowhere')
  const told = requestLines(service).map((line) => [line.status, line.code, line.user, line.client])
  expect(told).toEqual([
    [422, 'validation-failed', user.id, '127.0.0.1'],
    [429, 'rate-limit-exceeded', user.id, '127.0.0.1'],
    [401, 'missing-token', undefined, '127.0.0.1'],
    [404, 'not-found', undefined, '127.0.0.1'],
  ])
})

test('the client is the one that the rate limits count, behind a trusted proxy as well', async () => {
  await using service = await startService({ TRUSTED_PROXIES: '127.0.0.1' })
  const { token } = await service.account('someone')
  const headers = { 'x-forwarded-for': '203.0.113.9, 2001:db8:1:2:3:4:5:6' }
  await service.get(profile, token, headers)
  await service.get('/livez', undefined, headers)
  expect(requestLines(service).map(({ client }) => client)).toEqual(['2001:db8:1:2', '2001:db8:1:2'])
})

test('LOG_CLIENT_ADDRESS=off keeps addresses out of the log, and the limits on', async () => {
  await using service = await startService({
    LOG_CLIENT_ADDRESS: 'off',
    RATE_LIMITS: 'on',
    RATE_LIMIT_LOGIN: '1/60',
    NODE_ENV: 'production',
  })
  const logIn = () =>
    service.post(
      '/api/auth/login',
      { username: 'someone', password: 'a long password' },
      { 'x-forwarded-for': '203.0.113.9' },
    )
  await logIn()
  expect((await logIn()).status).toBe(429)
  const log = service.lines.join('')
  expect(requestLines(service)).toHaveLength(2)
  expect(log).not.toMatch(/127\.0\.0\.1|203\.0\.113\.9|"client"|"peer"/)
  expect(log).toContain('TRUSTED_PROXIES')
})
