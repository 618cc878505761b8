import { expect, spyOn, test } from 'bun:test'
import { createPasswords, HashingOverloaded } from '../../../src/auth/passwords.ts'
import { bearer, startService } from '../support/service.ts'

/** The parameters, and 32 bytes each of salt and digest. */
const currentForm = /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{43}\$[\w+/]{43}$/

test('passwords are hashed with argon2id, 19 MiB, two passes and one lane', async () => {
  const passwords = createPasswords({ concurrency: 1 })
  const hash = await passwords.hash('a long password')
  expect(hash).toMatch(currentForm)
  expect(passwords.isOutdated(hash)).toBe(false)
  for (const other of [
    hash.replace('m=19456', 'm=65536'),
    hash.replace('t=2', 't=3'),
    hash.replace('2id', '2i'),
    '',
  ]) {
    expect(passwords.isOutdated(other)).toBe(true)
  }
})

test('a login with an unknown username verifies one hash of the same form, as a wrong password does', async () => {
  await using service = await startService()
  await service.post('/api/auth/register', { username: 'known', password: 'the right password' })
  const verify = spyOn(Bun.password, 'verify')
  const hash = spyOn(Bun.password, 'hash')
  try {
    for (const username of ['known', 'unknown', 'KNOWN', "' OR 1=1 --", '']) {
      verify.mockClear()
      hash.mockClear()
      const response = await service.post('/api/auth/login', { username, password: 'a wrong password' })
      expect(response.status).toBe(401)
      expect(hash).not.toHaveBeenCalled()
      const hashes = verify.mock.calls.map(([password, stored]) => [password, String(stored)])
      expect(hashes).toEqual([['a wrong password', expect.stringMatching(currentForm)]])
    }
  } finally {
    verify.mockRestore()
    hash.mockRestore()
  }
})

test('the responses to an unknown username and to a wrong password differ only in the request id', async () => {
  await using service = await startService()
  await service.post('/api/auth/register', { username: 'known', password: 'the right password' })
  const responses = await Promise.all(
    ['known', 'unknown'].map(async (username) => {
      const response = await service.post('/api/auth/login', { username, password: 'a wrong password' })
      const { requestId: _, instance: __, ...problem } = (await response.json()) as Record<string, unknown>
      const headers = Object.fromEntries(response.headers)
      return { status: response.status, problem, headers: { ...headers, date: '', 'x-request-id': '' } }
    }),
  )
  expect(responses[0]).toEqual(responses[1] as (typeof responses)[number])
})

test('a hash with outdated parameters is replaced at the next successful login', async () => {
  await using service = await startService()
  const { user } = await service.account('old-timer')
  const old = await Bun.password.hash('the right password', {
    algorithm: 'argon2id',
    memoryCost: 8192,
    timeCost: 1,
  })
  using file = service.openFile()
  file.run('update users set password_hash = ? where id = ?', [old, user.id])
  const stored = () => (file.query('select password_hash as hash from users').get() as { hash: string }).hash
  const login = (password: string) => service.post('/api/auth/login', { username: 'old-timer', password })

  expect((await login('a wrong password')).status).toBe(401)
  expect(stored()).toBe(old)
  expect((await login('the right password')).status).toBe(200)
  // Replaced after the response.
  while (stored() === old) await Bun.sleep(5)
  expect(stored()).toMatch(currentForm)
  const renewed = stored()
  expect((await login('the right password')).status).toBe(200)
  expect(stored()).toBe(renewed)
})

test('no more work than the concurrency allows runs at once, 64 more wait, and further work is refused', async () => {
  const passwords = createPasswords({ concurrency: 2 })
  const gate = Promise.withResolvers<void>()
  let running = 0
  let highest = 0
  async function work() {
    highest = Math.max(highest, ++running)
    await gate.promise
    running--
  }
  const queued: Promise<void>[] = []
  for (let i = 0; i < 2 + 64; i++) {
    queued.push(passwords.runQueued(work))
    await Promise.resolve()
  }
  await Bun.sleep(0)
  expect(running).toBe(2)
  for (let i = 0; i < 10; i++)
    await expect(passwords.runQueued(work)).rejects.toBeInstanceOf(HashingOverloaded)
  gate.resolve()
  await Promise.all(queued)
  expect(highest).toBe(2)
  await passwords.runQueued(work)
})

test('logins beyond the queue are refused with 503, and profiles can be read meanwhile', async () => {
  await using service = await startService()
  const { token } = await service.account('reader')
  let flooding = true
  const flood = Promise.all(
    Array.from({ length: 150 }, (_, i) =>
      service.post('/api/auth/login', { username: `someone-${i}`, password: 'a wrong password' }),
    ),
  ).finally(() => {
    flooding = false
  })
  let readMeanwhile = 0
  while (flooding) {
    const profile = await fetch(`${service.url}/api/users/profile`, { headers: bearer(token) })
    expect(profile.status).toBe(200)
    if (flooding) readMeanwhile++
  }
  const responses = await flood
  const refused = responses.filter(({ status }) => status === 503)
  expect(responses.length - refused.length).toBeGreaterThanOrEqual(65)
  expect(refused.length).toBeGreaterThan(0)
  expect(readMeanwhile).toBeGreaterThan(10)
  for (const response of refused) {
    expect(response.headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
    expect(await response.json()).toMatchObject({ code: 'hashing-overloaded' })
  }
  expect(responses.filter(({ status }) => status === 401)).toHaveLength(responses.length - refused.length)
}, 300_000)
