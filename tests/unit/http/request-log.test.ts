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
