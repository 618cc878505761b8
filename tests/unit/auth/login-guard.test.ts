import { expect, test } from 'bun:test'
import { type Service, startService } from '../support/service.ts'

/** Sends parallel logins with a wrong password. */
async function failLogins(service: Service, username: string, count: number) {
  const body = { username, password: 'not the password' }
  const responses = await Promise.all(
    Array.from({ length: count }, () => service.post('/api/auth/login', body)),
  )
  const retryAfter = responses
    .map(({ headers }) => headers.get('retry-after'))
    .filter((each) => each !== null)
  return { statuses: responses.map(({ status }) => status), retryAfter }
}

test('parallel failed logins are throttled in the same way for an existing and an unknown username', async () => {
  await using service = await startService()
  await service.post('/api/auth/register', { username: 'known', password: 'the right password' })
  // Five failures cost no wait. On a slow machine the first waits, of 1 s and 2 s, may end during the test.
  for (const username of ['known', 'unknown']) {
    const { statuses, retryAfter } = await failLogins(service, username, 12)
    expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(7)
    expect(statuses.filter((status) => status === 401).length).toBeGreaterThanOrEqual(5)
    expect(new Set(statuses)).toEqual(new Set([401, 429]))
    for (const seconds of retryAfter) expect(Number(seconds)).toBeGreaterThanOrEqual(1)
    expect(retryAfter).toHaveLength(statuses.filter((status) => status === 429).length)
  }
})
