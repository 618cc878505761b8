import { afterAll, afterEach, beforeAll, describe, expect, setSystemTime, test } from 'bun:test'
import { createTokens } from '../../../src/auth/tokens.ts'
import { claimsFor, encode, type ForgedClaims, forge, forgeLegacy, without } from '../support/forge.ts'
import { refusedHandshake, requestHead, sendRaw } from '../support/raw-http.ts'
import { keys, outcome, type Service, startService, untilNoticed } from '../support/service.ts'

const now = Math.floor(Date.now() / 1000)
let service: Service
let valid: ForgedClaims
let issued: string

beforeAll(async () => {
  service = await startService()
  const { user, token } = await service.account('someone')
  issued = token
  valid = claimsFor(user.id)
})
afterEach(() => void setSystemTime())
afterAll(() => service[Symbol.asyncDispose]())

test('the tokens that these tests forge are valid if nothing is changed', async () => {
  const response = await service.get('/api/users/profile', forge({ claims: valid }))
  expect(response.status).toBe(200)
})

test('the tokens of earlier releases, which name no key, are valid', async () => {
  const { sub, jti, iat, exp, iss, aud } = valid
  const token = forgeLegacy({ claims: { sub, jti, iat, exp, iss, aud } })
  expect((await service.get('/api/users/profile', token)).status).toBe(200)
})

describe('an invalid token is refused by HTTP and by WebSocket', () => {
  const forgeries: [string, () => string][] = [
    [
      'alg none, no signature',
      () => `${encode({ alg: 'none', kid: keys.current.id, typ: 'at+jwt' })}.${encode(valid)}.`,
    ],
    ['alg none, of an earlier release', () => `${encode({ alg: 'none', typ: 'JWT' })}.${encode(valid)}.`],
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
    [
      'an altered header',
      () => issued.replace(/^[^.]+/, encode({ alg: 'HS256', kid: keys.current.id, typ: 'at+jwt', cty: '' })),
    ],
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
    ['no exp', () => forge({ claims: without(valid, 'exp') })],
    ['no jti', () => forge({ claims: without(valid, 'jti') })],
    ['no sub', () => forge({ claims: without(valid, 'sub') })],
    ['no iat', () => forge({ claims: without(valid, 'iat') })],
    ['no iss', () => forge({ claims: without(valid, 'iss') })],
    ['no aud', () => forge({ claims: without(valid, 'aud') })],
    ['sub as a number', () => forge({ claims: { ...valid, sub: 1 } })],
    ['sub as an object', () => forge({ claims: { ...valid, sub: { $ne: null } } })],
    ['no auth_time', () => forge({ claims: without(valid, 'auth_time') })],
    ['no tokens_valid_from', () => forge({ claims: without(valid, 'tokens_valid_from') })],
    ['auth_time as a string', () => forge({ claims: { ...valid, auth_time: String(now) } })],
    ['a list of other audiences', () => forge({ claims: { ...valid, aud: ['other', 'parley '] } })],
    ['the type of earlier releases with a kid', () => forge({ header: { typ: 'JWT' }, claims: valid })],
    ['another typ', () => forge({ header: { typ: 'logout+jwt' }, claims: valid })],
    ['no typ', () => forge({ header: { typ: undefined }, claims: valid })],
    ['typ as a list', () => forge({ header: { typ: ['at+jwt'] }, claims: valid })],
    ['the type at+jwt without a kid', () => forge({ header: { kid: undefined }, claims: valid })],
    ['of an earlier release, no typ', () => forgeLegacy({ header: { typ: undefined }, claims: valid })],
    ['of an earlier release, another key', () => forgeLegacy({ claims: valid, key: 'k'.repeat(48) })],
    ['of an earlier release, no exp', () => forgeLegacy({ claims: without(valid, 'exp') })],
    ['of an earlier release, another audience', () => forgeLegacy({ claims: { ...valid, aud: 'other' } })],
    ['an unknown critical header', () => forge({ header: { crit: ['x'], x: 1 }, claims: valid })],
    ['a critical header that is missing', () => forge({ header: { crit: ['x'] }, claims: valid })],
    ['an empty list of critical headers', () => forge({ header: { crit: [] }, claims: valid })],
    ['an unencoded payload', () => forge({ header: { crit: ['b64'], b64: false }, claims: valid })],
    ['a header that is a list', () => `${encode('[]')}.${encode(valid)}.${encode('signature')}`],
    ['a header that is null', () => `${encode('null')}.${encode(valid)}.${encode('signature')}`],
    ['a header that is not JSON', () => `${encode('{"alg":')}.${encode(valid)}.${encode('signature')}`],
    ...[
      '',
      '0',
      'other',
      '__proto__',
      'constructor',
      '../../../../dev/null',
      '/dev/null',
      "x' or '1'='1",
      "x' union select 'secret",
      'x\0',
      '$(id)',
      null,
      0,
      true,
      {},
      [],
    ].map((kid): [string, () => string] => [
      `the kid ${JSON.stringify(kid)}`,
      () => forge({ header: { kid }, claims: valid }),
    ]),
    ['the right kid in a list', () => forge({ header: { kid: [keys.current.id] }, claims: valid })],
    ['the right kid with a space', () => forge({ header: { kid: `${keys.current.id} ` }, claims: valid })],
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
  await untilNoticed()
  expect(await outcome(service.get('/api/users/profile', token))).toEqual([401, 'invalid-token'])
})

test('a cached token is invalid once it has expired', async () => {
  const { user } = await service.account('brief')
  const { token, expiresAt } = await createTokens({ keys, ttlSeconds: 60 }).issue({
    user,
    tokensValidFrom: 0,
  })
  const atSecond = (seconds: number) => {
    setSystemTime(new Date(seconds * 1000))
    return outcome(service.get('/api/users/profile', token))
  }
  expect(await atSecond(expiresAt - 60)).toEqual([200, undefined])
  expect(await atSecond(expiresAt - 1)).toEqual([200, undefined])
  expect(await atSecond(expiresAt)).toEqual([401, 'invalid-token'])
})
