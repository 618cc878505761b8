import { expect, spyOn, test } from 'bun:test'
import { createPasswords, HashingOverloaded } from '../../../src/auth/passwords.ts'
import { bearer, startService } from '../support/service.ts'

const parameters = /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/

test('hashes are argon2id with 19 MiB, two passes and one lane', async () => {
  const passwords = await createPasswords({ concurrency: 1 })
  const hash = await passwords.hash('a long password')
  expect(hash).toMatch(parameters)
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

test('an unknown name costs one verification with the same parameters, as a wrong password does', async () => {
  await using service = await startService()
  await service.post('/api/auth/register', { username: 'known', password: 'the right password' })
  const verify = spyOn(Bun.password, 'verify')
  const hash = spyOn(Bun.password, 'hash')
  try {
    for (const username of ['known', 'unknown', 'KNOWN', "' OR 1=1 --", '']) {
      verify.mockClear()
      hash.mockClear()
      const answer = await service.post('/api/auth/login', { username, password: 'a wrong password' })
      expect(answer.status).toBe(401)
      expect(hash).not.toHaveBeenCalled()
      const hashes = verify.mock.calls.map(([password, stored]) => [password, String(stored)])
      expect(hashes).toEqual([['a wrong password', expect.stringMatching(parameters)]])
    }
  } finally {
    verify.mockRestore()
    hash.mockRestore()
  }
})

test('both get the same answer but for what names the request', async () => {
  await using service = await startService()
  await service.post('/api/auth/register', { username: 'known', password: 'the right password' })
  const answers = await Promise.all(
    ['known', 'unknown'].map(async (username) => {
      const answer = await service.post('/api/auth/login', { username, password: 'a wrong password' })
      const { requestId: _, instance: __, ...problem } = (await answer.json()) as Record<string, unknown>
      const headers = Object.fromEntries(answer.headers)
      return { status: answer.status, problem, headers: { ...headers, date: '', 'x-request-id': '' } }
    }),
  )
  expect(answers[0]).toEqual(answers[1] as (typeof answers)[number])
})

test('a password whose hash has other parameters is hashed anew at the next login', async () => {
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
  expect(stored()).toMatch(parameters)
  const renewed = stored()
  expect((await login('the right password')).status).toBe(200)
  expect(stored()).toBe(renewed)
})

test('at most as many as there are places are at work, 64 wait, and one more is refused', async () => {
  const passwords = await createPasswords({ concurrency: 2 })
  const gate = Promise.withResolvers<void>()
  let atWork = 0
  let most = 0
  async function work() {
    most = Math.max(most, ++atWork)
    await gate.promise
    atWork--
  }
  const admitted: Promise<void>[] = []
  for (let i = 0; i < 2 + 64; i++) {
    admitted.push(passwords.admit(work))
    await Promise.resolve()
  }
  await Bun.sleep(0)
  expect(atWork).toBe(2)
  for (let i = 0; i < 10; i++) expect(passwords.admit(work)).rejects.toBeInstanceOf(HashingOverloaded)
  gate.resolve()
  await Promise.all(admitted)
  expect(most).toBe(2)
  await passwords.admit(work)
})

test('a storm of logins beyond the queue is refused with 503, while profiles go on being read', async () => {
  await using service = await startService()
  const { token } = await service.account('reader')
  let storming = true
  const storm = Promise.all(
    Array.from({ length: 150 }, (_, i) =>
      service.post('/api/auth/login', { username: `someone-${i}`, password: 'a wrong password' }),
    ),
  ).finally(() => {
    storming = false
  })
  let readInStorm = 0
  while (storming) {
    const profile = await fetch(`${service.url}/api/users/profile`, { headers: bearer(token) })
    expect(profile.status).toBe(200)
    if (storming) readInStorm++
  }
  const answers = await storm
  const refused = answers.filter(({ status }) => status === 503)
  expect(answers.length - refused.length).toBeGreaterThanOrEqual(65)
  expect(refused.length).toBeGreaterThan(0)
  expect(readInStorm).toBeGreaterThan(10)
  for (const answer of refused) {
    expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
    expect(await answer.json()).toMatchObject({ code: 'hashing-overloaded' })
  }
  expect(answers.filter(({ status }) => status === 401)).toHaveLength(answers.length - refused.length)
}, 30_000)
