import { describe, expect, test } from 'bun:test'
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { generateKeyPair, importKeyPair, importPublicKey } from '../../../src/auth/key-pairs.ts'
import { generateSecret, importSecret } from '../../../src/auth/secrets.ts'
import { createTokens } from '../../../src/auth/tokens.ts'
import { readConfig } from '../../../src/config.ts'
import { isWellFormedToken } from '../../../src/http/gate.ts'
import { claimsFor, encode, forge, forgeLegacy, forgeWithPrivateKey } from '../support/forge.ts'

const privateKeyOf = (jwk: string) => createPrivateKey({ key: JSON.parse(jwk), format: 'jwk' })

// The service signs with an Ed25519 key, and accepts another one and a secret from before two rotations.
const [jwk, previousJwk, secret] = [generateKeyPair(), generateKeyPair(), generateSecret()]
const current = importKeyPair(jwk)
const previousPair = importPublicKey(previousJwk)
const previousSecret = await importSecret(secret)
const privateKey = privateKeyOf(jwk)
const keys = { current, previous: [previousSecret, previousPair] }
const tokens = createTokens({ keys, ttlSeconds: 600 })

const userId = crypto.randomUUID()
const claims = claimsFor(userId)
const account = { user: { id: userId, username: 'someone' }, tokensValidFrom: 0 }
const withSecret = (header: object, key: string | Uint8Array = secret) => forge({ header, claims, key })

async function expectValid(token: string): Promise<void> {
  expect(await tokens.verify(token)).toMatchObject({ userId })
}

test('a token that is signed with any of the keys and names it is valid', async () => {
  await expectValid((await tokens.issue(account)).token)
  await expectValid(forgeWithPrivateKey({ kid: current.id }, claims, privateKey))
  await expectValid(forgeWithPrivateKey({ kid: previousPair.id }, claims, privateKeyOf(previousJwk)))
  await expectValid(withSecret({ kid: previousSecret.id }))
  await expectValid(forgeLegacy({ claims, key: secret }))
})

describe('a token is invalid if it does not fit the key that it names', () => {
  const publicKey = createPublicKey(privateKey)
  const jwkText = JSON.stringify(current.publicJwk)
  /** What somebody who knows the public key could use as the secret of an HMAC. */
  const publicTexts: [string, string | Uint8Array][] = [
    ['the bytes of the public key', Buffer.from(current.publicJwk?.x ?? '', 'base64url')],
    ['x of the public key', current.publicJwk?.x ?? ''],
    ['the JSON Web Key', jwkText],
    ['the public key as PEM', publicKey.export({ format: 'pem', type: 'spki' }) as string],
    ['the public key as DER', publicKey.export({ format: 'der', type: 'spki' })],
    ['the kid', current.id],
  ]
  const forgeries: [string, () => string | Promise<string>][] = [
    ...publicTexts.flatMap(([name, key]): [string, () => string][] => [
      [`HS256 with ${name} as the secret`, () => withSecret({ kid: current.id }, key)],
      [`HS256 with ${name} as the secret, without a kid`, () => forgeLegacy({ claims, key })],
      [
        `HS256 with ${name} as the secret, and the kid of the secret`,
        () => withSecret({ kid: previousSecret.id }, key),
      ],
    ]),
    ['the secret, with the kid of the key pair', () => withSecret({ kid: current.id })],
    [
      'the secret, with the algorithm and the kid of the key pair',
      () => withSecret({ alg: 'EdDSA', kid: current.id }),
    ],
    [
      'the key pair, with the kid of the secret',
      () => forgeWithPrivateKey({ kid: previousSecret.id }, claims, privateKey),
    ],
    [
      'the key pair, with the kid of the previous pair',
      () => forgeWithPrivateKey({ kid: previousPair.id }, claims, privateKey),
    ],
    ['the key pair, without a kid', () => forgeWithPrivateKey({}, claims, privateKey)],
    [
      'the key pair, without a kid and with the type of earlier releases',
      () => forgeWithPrivateKey({ typ: 'JWT' }, claims, privateKey),
    ],
    [
      'the key pair, with the algorithm HS256',
      () => forgeWithPrivateKey({ alg: 'HS256', kid: current.id }, claims, privateKey),
    ],
    [
      'alg none with the kid of the key pair',
      () => `${encode({ alg: 'none', kid: current.id, typ: 'at+jwt' })}.${encode(claims)}.`,
    ],
    [
      'another key pair under the kid of the current one',
      () => forgeWithPrivateKey({ kid: current.id }, claims, privateKeyOf(generateKeyPair())),
    ],
    [
      'an RSA key under the kid of the current one',
      () => {
        const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
        const signed = `${encode({ alg: 'RS256', kid: current.id, typ: 'at+jwt' })}.${encode(claims)}`
        return `${signed}.${sign('sha256', Buffer.from(signed), rsa).toString('base64url')}`
      },
    ],
    [
      'an expired token of the previous secret',
      () => {
        const expired = { ...claims, exp: Math.floor(Date.now() / 1000) - 1 }
        return forge({ header: { kid: previousSecret.id }, claims: expired, key: secret })
      },
    ],
    [
      'a token of the previous pair for another audience',
      () => {
        const other = { ...claims, aud: 'other' }
        return forgeWithPrivateKey({ kid: previousPair.id }, other, privateKeyOf(previousJwk))
      },
    ],
    [
      'a token of a secret that has been removed',
      async () => {
        const removed = { current: await importSecret(generateSecret()), previous: [] }
        return (await createTokens({ keys: removed, ttlSeconds: 600 }).issue(account)).token
      },
    ],
  ]
  for (const [name, make] of forgeries) {
    test(name, async () => expect(await tokens.verify(await make())).toBeUndefined())
  }
})

describe('keys in the header of a token are ignored, and nothing is loaded', () => {
  const own = privateKeyOf(generateKeyPair())
  const ownJwk = createPublicKey(own).export({ format: 'jwk' })
  let requests = 0
  const jwks = () => {
    requests++
    return Response.json({ keys: [{ ...ownJwk, kid: 'own', alg: 'EdDSA' }] })
  }

  const headers: [string, (url: string) => object][] = [
    ['jwk', () => ({ jwk: ownJwk })],
    ['jku', (url) => ({ jku: url })],
    ['x5u', (url) => ({ x5u: url })],
    [
      'x5c',
      () => ({ x5c: [createPublicKey(own).export({ format: 'der', type: 'spki' }).toString('base64')] }),
    ],
    ['kid as a URL', (url) => ({ kid: url })],
  ]
  for (const [name, make] of headers) {
    test(name, async () => {
      using server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: jwks })
      const header = make(server.url.href)
      for (const kid of [{}, { kid: 'own' }, { kid: current.id }]) {
        expect(await tokens.verify(forgeWithPrivateKey({ ...kid, ...header }, claims, own))).toBeUndefined()
      }
      if (!('kid' in header)) {
        await expectValid(forgeWithPrivateKey({ kid: current.id, ...header }, claims, privateKey))
      }
      expect(requests).toBe(0)
    })
  }
})

test('tokens of another audience are invalid, in both directions', async () => {
  const other = createTokens({ keys, ttlSeconds: 600, audience: 'https://other.example' })
  expect(await tokens.verify((await other.issue(account)).token)).toBeUndefined()
  expect(await other.verify((await tokens.issue(account)).token)).toBeUndefined()
  expect(await other.verify((await other.issue(account)).token)).toMatchObject({ userId })
})

test('a token for the longest audience has the length that the document allows', async () => {
  const audience = 'a'.repeat(200)
  expect(readConfig({ JWT_AUDIENCE: audience }, []).jwtAudience).toBe(audience)
  const { token } = await createTokens({ keys, ttlSeconds: 31_536_000, audience }).issue({
    ...account,
    tokensValidFrom: Date.now(),
  })
  expect(isWellFormedToken(token)).toBe(true)
})

test('an issued token has the header and the claims of an access token (RFC 9068)', async () => {
  const { token, expiresAt } = await tokens.issue({ ...account, tokensValidFrom: 7 }, 1234)
  const [header, payload] = token
    .split('.')
    .slice(0, 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()))
  expect(header).toEqual({ alg: 'EdDSA', kid: current.id, typ: 'at+jwt' })
  expect(payload).toEqual({
    iss: 'parley',
    aud: 'parley',
    sub: userId,
    client_id: 'parley',
    jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
    iat: expiresAt - 600,
    exp: expiresAt,
    auth_time: 1234,
    tokens_valid_from: 7,
  })
})
