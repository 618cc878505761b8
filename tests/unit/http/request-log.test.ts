import { expect, test } from 'bun:test'
import { bearer, type Service, startService } from '../support/service.ts'

/** The lines of requests that have been logged so far. */
const requestLines = ({ lines }: Service) =>
  lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'request')

test('each answer has an id of its own, which its line in the log has too', async () => {
  await using service = await startService({ RATE_LIMITS: 'on' })
  const { token } = await service.account('someone')
  const answers = [
    await service.get('/api/users/profile', token),
    await service.post('/api/chats/send', { message: 'Hello' }, bearer(token)),
    await service.get('/api/users/profile', token),
    await service.get('/api/users/profile', 'no token'),
    await service.get('/api/users/profile', token),
  ]
  const ids = answers.map(({ headers }) => headers.get('x-request-id'))
  expect(new Set(ids).size).toBe(answers.length)
  expect(requestLines(service)).toMatchObject([
    { method: 'GET', route: '/api/users/profile', status: 200, requestId: ids[0] },
    { method: 'POST', route: '/api/chats/send', status: 200, requestId: ids[1] },
    { method: 'GET', route: '/api/users/profile', status: 200, requestId: ids[2] },
    { method: 'GET', route: '/api/users/profile', status: 401, requestId: ids[3] },
    { method: 'GET', route: '/api/users/profile', status: 200, requestId: ids[4] },
  ])
  for (const { ms } of requestLines(service)) expect(ms).toBeGreaterThan(0)
})

test('answers side by side keep their own ids and their own counts', async () => {
  await using service = await startService({ RATE_LIMITS: 'on' })
  const { token } = await service.account('someone')
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => service.get('/api/users/profile', token)),
  )
  const of = (name: string) => new Set(answers.map(({ headers }) => headers.get(name)))
  expect(of('x-request-id').size).toBe(50)
  expect(of('ratelimit').size).toBe(50)
  expect(of('ratelimit-policy').size).toBe(1)
})

test('a HEAD is answered as the GET would be, and is a HEAD in the log', async () => {
  await using service = await startService()
  const { token } = await service.account('someone')
  const answer = await fetch(`${service.url}/api/users/profile`, { method: 'HEAD', headers: bearer(token) })
  expect(answer.status).toBe(200)
  expect(requestLines(service)).toMatchObject([{ method: 'HEAD', route: '/api/users/profile', status: 200 }])
})
