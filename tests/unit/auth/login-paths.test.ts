import { afterAll, beforeAll, expect, spyOn, test } from 'bun:test'
import { outcome, type Service, startService } from '../support/service.ts'

let service: Service
const verify = spyOn(Bun.password, 'verify')

beforeAll(async () => {
  service = await startService()
  await service.post('/api/auth/register', { username: 'known', password: 'correct horse battery' })
  await service.storage.users.add('disabled', '!')
  await service.storage.users.add('empty', '')
  await service.storage.users.add('foreign', '$9$unknown$hash')
  await service.storage.users.add('damaged', '$argon2id$v=19$m=19456,t=2,p=1$damaged')
})
afterAll(async () => {
  verify.mockRestore()
  await service[Symbol.asyncDispose]()
})

/** The arguments of each call that hashes: Bun rejects an empty password or an invalid hash without hashing. */
const hashingCalls = () =>
  verify.mock.calls.filter(([password, hash]) => password !== '' && /^\$argon2id\$.{40,}/.test(String(hash)))

// One hash takes tens of milliseconds, so an attempt that skips it, or needs two, reveals what it depends on.
for (const username of [
  'known',
  'KNOWN',
  'unknown',
  'disabled',
  'empty',
  'foreign',
  'damaged',
  'not a username',
  '',
]) {
  for (const password of ['', ' ', 'a wrong password', 'with\0NUL', '𝄞'.repeat(128), 'x'.repeat(128)]) {
    test(`a failed login of ${JSON.stringify(username)} with ${password.length} characters costs one hash`, async () => {
      verify.mockClear()
      const response = service.post('/api/auth/login', { username, password })
      const [status, code] = await outcome(response)
      // The login guard does not hash, for no username.
      if (code === 'login-throttled') return expect(hashingCalls()).toHaveLength(0)
      expect([status, code]).toEqual([401, 'invalid-credentials'])
      expect(hashingCalls()).toHaveLength(1)
    })
  }
}

test('a successful login costs one hash', async () => {
  verify.mockClear()
  // Failures above may require a wait, which a success would clear.
  await using other = await startService()
  await other.post('/api/auth/register', { username: 'known', password: 'correct horse battery' })
  const response = await other.post('/api/auth/login', {
    username: 'known',
    password: 'correct horse battery',
  })
  expect(response.status).toBe(200)
  expect(hashingCalls()).toHaveLength(1)
})
