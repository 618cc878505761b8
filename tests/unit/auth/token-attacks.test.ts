import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createHmac } from 'node:crypto'
import { createTokens } from '../../../src/auth/tokens.ts'
import { exchange, head, refusedHandshake } from '../support/raw-http.ts'
import { outcome, type Service, secret, startService } from '../support/service.ts'

const encode = (part: object | string) =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')

interface Forgery {
  readonly header?: object
  readonly claims: object
  readonly key?: string | Uint8Array
  readonly hash?: string
}

function forge({ header = {}, claims, key = secret, hash = 'sha256' }: Forgery): string {
  const signed = `${encode({ alg: 'HS256', typ: 'JWT', ...header })}.${encode(claims)}`
  return `${signed}.${createHmac(hash, key).update(signed).digest('base64url')}`
}

const now = Math.floor(Date.now() / 1000)
let service: Service
let valid: { sub: string; jti: string; iat: number; exp: number; iss: string; aud: string }
let issued: string

beforeAll(async () => {
  service = await startService()
  const { user, token } = await service.account('someone')
  issued = token
  valid = { sub: user.id, jti: 'one', iat: now - 10, exp: now + 3600, iss: 'parley', aud: 'parley' }
})
afterAll(() => service[Symbol.asyncDispose]())

const without = (name: keyof typeof valid) => {
  const { [name]: _, ...rest } = valid
  return rest
}

test('the forger of these tests makes a good token where nothing is changed', async () => {
  const answer = await service.get('/api/users/profile', forge({ claims: valid }))
  expect(answer.status).toBe(200)
})

describe('a token is refused by HTTP and by socket', () => {
  const forgeries: [string, () => string][] = [
    ['alg none, no signature', () => `${encode({ alg: 'none', typ: 'JWT' })}.${encode(valid)}.`],
    ['alg None, signed', () => forge({ header: { alg: 'None' }, claims: valid })],
    [
      'alg HS512, with the right key',
      () => forge({ header: { alg: 'HS512' }, claims: valid, hash: 'sha512' }),
    ],
    [
      'alg HS384, with the right key',
      () => forge({ header: { alg: 'HS384' }, claims: valid, hash: 'sha384' }),
    ],
    ['alg RS256, signed with the secret as HS256', () => forge({ header: { alg: 'RS256' }, claims: valid })],
    ['another key', () => forge({ claims: valid, key: 'another key, of thirty-two bytes or more' })],
    ['an empty key', () => forge({ claims: valid, key: '' })],
    [
      'a key that the token brings',
      () => forge({ header: { jwk: { kty: 'oct', k: encode('own') } }, claims: valid, key: 'own' }),
    ],
    ['an altered payload', () => issued.replace(/\.[^.]+\./, `.${encode({ ...valid, sub: 'admin' })}.`)],
    ['an altered header', () => issued.replace(/^[^.]+/, encode({ alg: 'HS256', typ: 'JWT', kid: '1' }))],
    ['a cut signature', () => issued.slice(0, -4)],
    ['no signature', () => issued.replace(/[^.]+$/, '')],
    ['a fourth part', () => `${issued}.${encode('more')}`],
    ['an expired one', () => forge({ claims: { ...valid, exp: now - 1 } })],
    ['exp as a string', () => forge({ claims: { ...valid, exp: String(now + 60) } })],
    ['exp beyond every number', () => forge({ claims: { ...valid, exp: null } })],
    ['nbf in the future', () => forge({ claims: { ...valid, nbf: now + 600 } })],
    ['iat in the future', () => forge({ claims: { ...valid, iat: now + 600 } })],
    ['another issuer', () => forge({ claims: { ...valid, iss: 'parley.example' } })],
    ['another audience', () => forge({ claims: { ...valid, aud: 'other' } })],
    ['no exp', () => forge({ claims: without('exp') })],
    ['no jti', () => forge({ claims: without('jti') })],
    ['no sub', () => forge({ claims: without('sub') })],
    ['no iat', () => forge({ claims: without('iat') })],
    ['no iss', () => forge({ claims: without('iss') })],
    ['no aud', () => forge({ claims: without('aud') })],
    ['sub as a number', () => forge({ claims: { ...valid, sub: 1 } })],
    ['sub as an object', () => forge({ claims: { ...valid, sub: { $ne: null } } })],
    ['another typ', () => forge({ header: { typ: 'at+jwt' }, claims: valid })],
    ['no typ', () => forge({ header: { typ: undefined }, claims: valid })],
    [
      'a user that never was',
      () => forge({ claims: { ...valid, sub: '019a9c4e-5b7a-7c31-8d2e-3f6a1b9c0d4e' } }),
    ],
    ['no token at all', () => 'nonsense'],
  ]
  for (const [name, make] of forgeries) {
    test(name, async () => {
      const token = make()
      const answer = await service.get('/api/users/profile', token)
      expect(answer.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"')
      const text = await answer.clone().text()
      for (const part of token.split('.').filter((each) => each.length > 8)) expect(text).not.toContain(part)
      expect(await outcome(answer)).toEqual([401, 'invalid-token'])
      const byHeader = await refusedHandshake(service.url, { authorization: `Bearer ${token}` })
      expect([byHeader.status, JSON.parse(byHeader.body).code]).toEqual([401, 'invalid-token'])
      const protocols = `parley.v1, bearer.${token}`
      const byProtocol = await refusedHandshake(service.url, { 'sec-websocket-protocol': protocols })
      expect([byProtocol.status, JSON.parse(byProtocol.body).code]).toEqual([401, 'invalid-token'])
    })
  }
})

describe('what is no bearer token in its place is none', () => {
  const elsewhere: [string, string, (token: string) => string, Record<string, string>][] = [
    ['in the query as token', 'missing-token', (token) => `/api/users/profile?token=${token}`, {}],
    [
      'in the query as access_token',
      'missing-token',
      (token) => `/api/users/profile?access_token=${token}`,
      {},
    ],
    [
      'in the query as authorization',
      'missing-token',
      (token) => `/api/users/profile?authorization=Bearer%20${token}`,
      {},
    ],
    [
      'as another scheme',
      'missing-token',
      () => '/api/users/profile',
      { authorization: 'Basic c29tZW9uZTpwYXNz' },
    ],
    ['without a scheme', 'missing-token', () => '/api/users/profile', { authorization: 'TOKEN' }],
    ['in a cookie', 'missing-token', () => '/api/users/profile', { cookie: 'token=TOKEN' }],
    ['as an empty bearer', 'missing-token', () => '/api/users/profile', { authorization: 'Bearer' }],
  ]
  for (const [name, code, path, headers] of elsewhere) {
    test(name, async () => {
      const sent = Object.fromEntries(
        Object.entries(headers).map(([k, v]) => [k, v.replace('TOKEN', issued)]),
      )
      const answer = await exchange(service.url, head('GET', path(issued), sent))
      expect([answer.status, JSON.parse(answer.body).code]).toEqual([401, code])
      expect(answer.headers['www-authenticate']).toBe('Bearer')
    })
  }

  test('in the URL of a socket', async () => {
    for (const name of ['token', 'access_token', 'bearer']) {
      const answer = await refusedHandshake(service.url, {}, `/?${name}=${issued}`)
      expect([answer.status, JSON.parse(answer.body).code]).toEqual([401, 'missing-token'])
    }
  })

  test('and the log never has a token', () => {
    expect(service.lines.length).toBeGreaterThan(10)
    for (const line of service.lines) expect(line).not.toContain(issued.split('.')[2] as string)
  })
})

test('a token ends with its account, even one that was seen a moment ago', async () => {
  const { user, token } = await service.account('leaver')
  expect((await service.get('/api/users/profile', token)).status).toBe(200)
  using file = service.openFile()
  file.run('delete from users where id = ?', [user.id])
  expect(await outcome(service.get('/api/users/profile', token))).toEqual([401, 'invalid-token'])
})

test('a token that was seen a moment ago expires all the same', async () => {
  const { user } = await service.account('brief')
  const brief = await createTokens({ secret, ttlSeconds: 1 })
  const token = await brief.issue(user.id)
  expect((await service.get('/api/users/profile', token)).status).toBe(200)
  await Bun.sleep(2100 - (Date.now() % 1000))
  expect(await outcome(service.get('/api/users/profile', token))).toEqual([401, 'invalid-token'])
})
