import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { connect } from '../support/chat-client.ts'
import { bearer, outcome, type Service, startService } from '../support/service.ts'

let service: Service

beforeAll(async () => {
  service = await startService()
})
afterAll(() => service[Symbol.asyncDispose]())

const password = 'correct horse battery staple'
const register = (username: string, secret = password) =>
  service.post('/api/auth/register', { username, password: secret })
const login = (username: string, secret = password) =>
  service.post('/api/auth/login', { username, password: secret })

const fragments = [
  "' OR '1'='1",
  "admin'--",
  '"; DROP TABLE users; --',
  'a%00b',
  'a\0b',
  '{{7*7}}',
  '$' + '{7*7}',
  '#{7*7}',
  '<%= 7*7 %>',
  '<script>alert(1)</script>',
  '../../etc/passwd',
  '%s%n%x',
  '\u202eadmin',
  '\r\nSet-Cookie: a=b',
]

test('a name is one in whatever case, and keeps the case it was registered with', async () => {
  expect((await register('Case.Keeper')).status).toBe(201)
  expect(await outcome(register('case.keeper'))).toEqual([409, 'username-taken'])
  expect(await outcome(register('CASE.KEEPER'))).toEqual([409, 'username-taken'])
  const answer = await login('cAsE.kEePeR')
  const { token } = (await answer.json()) as { token: string }
  const profile = await service.get('/api/users/profile', token)
  expect(await profile.json()).toMatchObject({ user: { username: 'Case.Keeper' } })
})

test('of many registrations of one name side by side, one succeeds', async () => {
  const names = ['Racer', 'racer', 'RACER', 'rAcer', 'raCer', 'racEr']
  const answers = await Promise.all(names.map((name) => outcome(register(name))))
  expect(answers.map(([status]) => status).sort()).toEqual([201, 409, 409, 409, 409, 409])
})

describe('a look-alike is no name', () => {
  const lookalikes: [string, string][] = [
    ['Cyrillic а', '\u0430dmin'],
    ['long s, which upper-cases to S', '\u017fomeone'],
    ['Kelvin sign, which lower-cases to k', '\u212aeeper'],
    ['dotted capital I', '\u0130van'],
    ['full width', '\uff41dmin'],
    ['combining accent', 'admi\u0301n'],
    ['zero width joiner', 'ad\u200dmin'],
    ['a space at the end', 'admin '],
    ['a line break at the end', 'admin\n'],
  ]
  for (const [name, username] of lookalikes) {
    test(name, async () => {
      expect(await outcome(register(username))).toEqual([422, 'validation-failed'])
      expect(await outcome(login(username))).toEqual([401, 'invalid-credentials'])
    })
  }

  test('and logs nobody in as the one it looks like', async () => {
    await register('keeper')
    for (const username of ['\u212aeeper', 'keeper ', 'keeper\0', 'ｋeeper']) {
      expect(await outcome(login(username))).toEqual([401, 'invalid-credentials'])
    }
  })
})

describe('fragments of other languages are only text', () => {
  for (const [index, fragment] of fragments.entries()) {
    test(JSON.stringify(fragment), async () => {
      expect(await outcome(register(fragment))).toEqual([422, 'validation-failed'])
      expect(await outcome(login(fragment))).toEqual([401, 'invalid-credentials'])
      expect(await outcome(login(`someone-${index}`, fragment))).toEqual([401, 'invalid-credentials'])
    })
  }

  test('as messages they come back as they were sent, by HTTP, by socket and from the log', async () => {
    const { token } = await service.account('quoter')
    const client = await connect(service.url, token)
    for (const [index, message] of fragments.entries()) {
      if (index % 2 === 0) await service.post('/api/chats/send', { message }, bearer(token))
      else client.send({ message })
      expect((await client.next()).message).toBe(message)
    }
    await client.close()
    const page = await service.get('/api/chats/messages', token)
    const { messages } = (await page.json()) as { messages: { message: string }[] }
    expect(messages.map(({ message }) => message)).toEqual(fragments)
  })

  test('and the accounts are still there', async () => {
    using file = service.openFile()
    const { count } = file.query('select count(*) as count from users').get() as { count: number }
    expect(count).toBeGreaterThanOrEqual(3)
  })
})

describe('passwords', () => {
  const taken: [string, string][] = [
    ['of eight characters of two units', '𝄞'.repeat(8)],
    ['of 128 of them', '𝄞'.repeat(128)],
    ['with a NUL', 'before\0after'],
    ['with spaces at both ends', '  within  '],
  ]
  for (const [index, [name, secret]] of taken.entries()) {
    test(`${name}: registered, and nothing else logs in`, async () => {
      const username = `owner-${index}`
      expect((await register(username, secret)).status).toBe(201)
      expect((await login(username, secret)).status).toBe(200)
      for (const other of [
        secret.slice(0, -1),
        `${secret} `.slice(0, 128),
        secret.trim(),
        secret.split('\0')[0],
      ]) {
        if (other === secret) continue
        expect((await login(username, other ?? '')).status).toBe(401)
      }
    })
  }

  test('seven characters, 129 characters and half a character are refused', async () => {
    for (const secret of ['a'.repeat(7), '𝄞'.repeat(7), '𝄞'.repeat(129), 'a'.repeat(129), '1234567\ud834']) {
      expect(await outcome(register('someone-new', secret))).toEqual([422, 'validation-failed'])
    }
  })

  test('the empty password logs nobody in, and fails as any other', async () => {
    expect(await outcome(login('keeper', ''))).toEqual([401, 'invalid-credentials'])
    expect(await outcome(login('nobody', ''))).toEqual([401, 'invalid-credentials'])
  })

  test('the common ones are refused in whatever case', async () => {
    for (const secret of ['Password1', 'PASSWORD1', 'qwertyuiop', 'QwErTyUiOp', '12345678', 'iloveyou1']) {
      expect(await outcome(register('someone-new', secret))).toEqual([422, 'password-too-common'])
    }
  })

  test('the documented one passes', async () => {
    expect((await register('exampleuser', 'securepassword')).status).toBe(201)
  })
})
