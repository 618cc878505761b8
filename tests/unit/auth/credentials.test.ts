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

/** Texts that are code in another language. */
const injections = [
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

test('a username is unique in any letter case, and keeps the case that it was registered with', async () => {
  expect((await register('Case.Keeper')).status).toBe(201)
  expect(await outcome(register('case.keeper'))).toEqual([409, 'username-taken'])
  expect(await outcome(register('CASE.KEEPER'))).toEqual([409, 'username-taken'])
  const response = await login('cAsE.kEePeR')
  const { token } = (await response.json()) as { token: string }
  const profile = await service.get('/api/users/profile', token)
  expect(await profile.json()).toMatchObject({ user: { username: 'Case.Keeper' } })
})

test('of parallel registrations of one username, one succeeds', async () => {
  const names = ['Racer', 'racer', 'RACER', 'rAcer', 'raCer', 'racEr']
  const responses = await Promise.all(names.map((name) => outcome(register(name))))
  expect(responses.map(([status]) => status).sort()).toEqual([201, 409, 409, 409, 409, 409])
})

describe('a username that looks like another one is refused', () => {
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

  test('and does not log in to the account that it looks like', async () => {
    await register('keeper')
    for (const username of ['\u212aeeper', 'keeper ', 'keeper\0', 'ｋeeper']) {
      expect(await outcome(login(username))).toEqual([401, 'invalid-credentials'])
    }
  })
})

describe('injections are only text', () => {
  for (const [index, fragment] of injections.entries()) {
    test(JSON.stringify(fragment), async () => {
      expect(await outcome(register(fragment))).toEqual([422, 'validation-failed'])
      expect(await outcome(login(fragment))).toEqual([401, 'invalid-credentials'])
      expect(await outcome(login(`someone-${index}`, fragment))).toEqual([401, 'invalid-credentials'])
    })
  }

  test('as messages, they are received unchanged by HTTP, by socket and from the history', async () => {
    const { token } = await service.account('quoter')
    const client = await connect(service.url, token)
    for (const [index, message] of injections.entries()) {
      if (index % 2 === 0) await service.post('/api/chats/send', { message }, bearer(token))
      else client.send({ message })
      expect((await client.next()).message).toBe(message)
    }
    await client.close()
    const page = await service.get('/api/chats/messages', token)
    const { messages } = (await page.json()) as { messages: { message: string }[] }
    expect(messages.map(({ message }) => message)).toEqual(injections)
  })

  test('and the accounts still exist', async () => {
    using file = service.openFile()
    const { count } = file.query('select count(*) as count from users').get() as { count: number }
    expect(count).toBeGreaterThanOrEqual(3)
  })
})

describe('passwords', () => {
  const taken: [string, string][] = [
    ['8 characters of two UTF-16 units', '𝄞'.repeat(8)],
    ['128 characters of two UTF-16 units', '𝄞'.repeat(128)],
    ['characters before and after a NUL', 'before\0after'],
    ['spaces at both ends', '  within  '],
  ]
  for (const [index, [name, secret]] of taken.entries()) {
    test(`of ${name} can be registered, and no similar password logs in`, async () => {
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

  test('of 7 or 129 characters, or with a lone surrogate, are refused', async () => {
    for (const secret of ['a'.repeat(7), '𝄞'.repeat(7), '𝄞'.repeat(129), 'a'.repeat(129), '1234567\ud834']) {
      expect(await outcome(register('someone-new', secret))).toEqual([422, 'validation-failed'])
    }
  })

  test('that are empty fail as any wrong password does', async () => {
    expect(await outcome(login('keeper', ''))).toEqual([401, 'invalid-credentials'])
    expect(await outcome(login('nobody', ''))).toEqual([401, 'invalid-credentials'])
  })

  test('that are common are refused in any letter case', async () => {
    for (const secret of ['Password1', 'PASSWORD1', 'qwertyuiop', 'QwErTyUiOp', '12345678', 'iloveyou1']) {
      expect(await outcome(register('someone-new', secret))).toEqual([422, 'password-too-common'])
    }
  })

  test('in the examples of the document are accepted', async () => {
    expect((await register('exampleuser', 'securepassword')).status).toBe(201)
  })
})

test('a password that equals the username, in any letter case, is refused as too common', async () => {
  for (const [username, secret] of [
    ['a-long-username', 'a-long-username'],
    ['a-long-username', 'A-Long-USERNAME'],
    ['A-LONG-USERNAME', 'a-long-username'],
  ] as const) {
    expect(await outcome(register(username, secret))).toEqual([422, 'password-too-common'])
  }
  expect((await register('a-long-username', 'a-long-username-2')).status).toBe(201)
})
