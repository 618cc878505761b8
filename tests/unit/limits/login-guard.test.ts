import { beforeEach, expect, test } from 'bun:test'
import { createLoginGuard, type LoginGuard } from '../../../src/auth/login-guard.ts'
import { startService } from '../support/service.ts'

let time: number
let guard: LoginGuard

beforeEach(() => {
  time = 1_800_000_000
  guard = createLoginGuard(() => time)
})

/** Waits as long as it is told, then tries once more, and fails; returns the waits. */
function fail(username: string, times: number): number[] {
  return Array.from({ length: times }, () => {
    const wait = guard.attempt(username)
    if (wait > 0) {
      time += wait
      expect(guard.attempt(username)).toBe(0)
    }
    return wait
  })
}

test('five failures are free, then the wait doubles from one second to a minute, and stays there', () => {
  expect(fail('someone', 14)).toEqual([0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60])
})

test('an attempt that comes too early is told the rest of the wait, and does not lengthen it', () => {
  fail('someone', 9)
  expect(guard.attempt('someone')).toBe(16)
  expect(guard.attempt('someone')).toBe(16)
  time += 10
  expect(guard.attempt('someone')).toBe(6)
  time += 6
  expect(guard.attempt('someone')).toBe(0)
})

test('a success forgets the failures', () => {
  fail('someone', 10)
  time += 60
  expect(guard.attempt('someone')).toBe(0)
  guard.succeed('someone')
  expect(fail('someone', 6)).toEqual([0, 0, 0, 0, 0, 1])
})

test('a quarter of an hour forgets them too, and no name is locked for good', () => {
  fail('someone', 30)
  time += 899
  expect(guard.attempt('someone')).toBe(0)
  expect(guard.attempt('someone')).toBe(60)
  time += 900
  expect(fail('someone', 6)).toEqual([0, 0, 0, 0, 0, 1])
})

test('the name counts in whatever case, and each name for itself', () => {
  fail('Someone', 3)
  expect(fail('sOMEONE', 3)).toEqual([0, 0, 1])
  expect(fail('someone-else', 5)).toEqual([0, 0, 0, 0, 0])
})

test('attempts side by side gain nothing: each counts as failed until it has succeeded', () => {
  const admitted = Array.from({ length: 100 }, () => guard.attempt('someone')).filter((wait) => wait === 0)
  expect(admitted).toHaveLength(5)
})

async function attempts(service: Awaited<ReturnType<typeof startService>>, username: string, count: number) {
  const body = { username, password: 'not the password' }
  const answers = await Promise.all(
    Array.from({ length: count }, () => service.post('/api/auth/login', body)),
  )
  const retryAfter = answers.map(({ headers }) => headers.get('retry-after')).filter((each) => each !== null)
  return { statuses: answers.map(({ status }) => status).sort(), retryAfter }
}

test('over HTTP a known and an unknown name are throttled alike, by attempts side by side as well', async () => {
  await using service = await startService()
  await service.post('/api/auth/register', { username: 'known', password: 'the right password' })
  // Five are free; on a slow machine the first waits, of a second and of two, may end meanwhile.
  for (const username of ['known', 'unknown']) {
    const { statuses, retryAfter } = await attempts(service, username, 12)
    expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(7)
    expect(statuses.filter((status) => status === 401).length).toBeGreaterThanOrEqual(5)
    expect(new Set(statuses)).toEqual(new Set([401, 429]))
    for (const seconds of retryAfter) expect(Number(seconds)).toBeGreaterThanOrEqual(1)
    expect(retryAfter).toHaveLength(statuses.filter((status) => status === 429).length)
  }
})
