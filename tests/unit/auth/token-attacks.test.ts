import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createHmac } from 'node:crypto'
import { createTokens } from '../../../src/auth/tokens.ts'
import { refusedHandshake, requestHead, sendRaw } from '../support/raw-http.ts'
import { keys, outcome, type Service, secret, startService } from '../support/service.ts'

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

test('the tokens that these tests forge are valid if nothing is changed', async () => {
  const response = await service.get('/api/users/profile', forge({ claims: valid }))
  expect(response.status).toBe(200)
})

describe('an invalid token is refused by HTTP and by WebSocket', () => {
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
      'a key in the header of the token',
      () => forge({ header: { jwk: { kty: 'oct', k: encode('own') } }, claims: valid, key: 'own' }),
    ],
    ['an altered payload', () => issued.replace(/\.[^.]+\./, `.${encode({ ...valid, sub: 'admin' })}.`)],
    ['an altered header', () => issued.replace(/^[^.]+/, encode({ alg: 'HS256', typ: 'JWT', kid: '1' }))],
    ['a truncated signature', () => issued.slice(0, -4)],
    ['no signature', () => issued.replace(/[^.]+$/, '')],
    ['a fourth part', () => `${issued}.${encode('more')}`],
    ['an expired token', () => forge({ claims: { ...valid, exp: now - 1 } })],
    ['exp as a string', () => forge({ claims: { ...valid, exp: String(now + 60) } })],
    ['exp as null', () => forge({ claims: { ...valid, exp: null } })],
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
    ['an unknown user', () => forge({ claims: { ...valid, sub: '019a9c4e-5b7a-7c31-8d2e-3f6a1b9c0d4e' } })],
    ['text that is not a token', () => 'nonsense'],
  ]
  for (const [name, make] of forgeries) {
    test(name, async () => {
      const token = make()
      const response = await service.get('/api/users/profile', token)
      expect(response.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"')
      const text = await response.clone().text()
      for (const part of token.split('.').filter((each) => each.length > 8)) expect(text).not.toContain(part)
      expect(await outcome(response)).toEqual([401, 'invalid-token'])
      const byHeader = await refusedHandshake(service.url, { authorization: `Bearer ${token}` })
      expect([byHeader.status, JSON.parse(byHeader.body).code]).toEqual([401, 'invalid-token'])
      const protocols = `parley.v1, bearer.${token}`
      const byProtocol = await refusedHandshake(service.url, { 'sec-websocket-protocol': protocols })
      expect([byProtocol.status, JSON.parse(byProtocol.body).code]).toEqual([401, 'invalid-token'])
    })
  }
})

describe('a token anywhere but in a Bearer header is ignored', () => {
  const elsewhere: [string, string, (token: string) => string, Record<string, string>][] = [
    ['in the query parameter token', 'missing-token', (token) => `/api/users/profile?token=${token}`, {}],
    [
      'in the query parameter access_token',
      'missing-token',
      (token) => `/api/users/profile?access_token=${token}`,
      {},
    ],
    [
      'in the query parameter authorization',
      'missing-token',
      (token) => `/api/users/profile?authorization=Bearer%20${token}`,
      {},
    ],
    [
      'with another scheme',
      'missing-token',
      () => '/api/users/profile',
      { authorization: 'Basic c29tZW9uZTpwYXNz' },
    ],
    ['without a scheme', 'missing-token', () => '/api/users/profile', { authorization: 'TOKEN' }],
    ['in a cookie', 'missing-token', () => '/api/users/profile', { cookie: 'token=TOKEN' }],
    ['an empty Bearer header', 'missing-token', () => '/api/users/profile', { authorization: 'Bearer' }],
  ]
  for (const [name, code, path, headers] of elsewhere) {
    test(name, async () => {
      const sent = Object.fromEntries(
        Object.entries(headers).map(([k, v]) => [k, v.replace('TOKEN', issued)]),
      )
      const response = await sendRaw(service.url, requestHead('GET', path(issued), sent))
      expect([response.status, JSON.parse(response.body).code]).toEqual([401, code])
      expect(response.headers['www-authenticate']).toBe('Bearer')
    })
  }

  test('in the URL of a handshake', async () => {
    for (const name of ['token', 'access_token', 'bearer']) {
      const response = await refusedHandshake(service.url, {}, `/?${name}=${issued}`)
      expect([response.status, JSON.parse(response.body).code]).toEqual([401, 'missing-token'])
    }
  })

  test('and the log never contains a token', () => {
    expect(service.lines.length).toBeGreaterThan(10)
    for (const line of service.lines) expect(line).not.toContain(issued.split('.')[2] as string)
  })
})

test('a cached token is invalid once its account has been removed', async () => {
  const { user, token } = await service.account('leaver')
  expect((await service.get('/api/users/profile', token)).status).toBe(200)
  using file = service.openFile()
  file.run('delete from users where id = ?', [user.id])
  expect(await outcome(service.get('/api/users/profile', token))).toEqual([401, 'invalid-token'])
})

test('a cached token is invalid once it has expired', async () => {
  const { user } = await service.account('brief')
  const brief = createTokens({ keys, ttlSeconds: 1 })
  const { token } = await brief.issue({ user, tokensValidFrom: 0 })
  expect((await service.get('/api/users/profile', token)).status).toBe(200)
  await Bun.sleep(2100 - (Date.now() % 1000))
  expect(await outcome(service.get('/api/users/profile', token))).toEqual([401, 'invalid-token'])
})
