import { describe, expect, test } from 'bun:test'
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { calculateJwkThumbprint } from 'jose'
import { generateKeyPair, importKeyPair, importPublicKey } from '../../../src/auth/key-pairs.ts'
import { readKeySettings } from '../../../src/auth/key-settings.ts'
import { generateSecret, importSecret, secretFault } from '../../../src/auth/secrets.ts'
import { type ConfigError, readConfig } from '../../../src/config.ts'

const jwk = generateKeyPair()
const { x, d } = JSON.parse(jwk) as { x: string; d: string }
const privateKey = createPrivateKey({ key: JSON.parse(jwk), format: 'jwk' })
const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }) as string
const publicPem = createPublicKey(privateKey).export({ format: 'pem', type: 'spki' }) as string
const publicJwk = JSON.stringify({ kty: 'OKP', crv: 'Ed25519', x })

function messageOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    return (error as Error).message
  }
  return 'no error'
}

describe('the id of a key', () => {
  test('is the thumbprint of the public key, as in the example of RFC 8037', () => {
    const example = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }
    expect(importPublicKey(JSON.stringify(example)).id).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
  })

  test('is the same for the private and the public key, and as another library calculates it', async () => {
    const { id, publicJwk: published } = importKeyPair(jwk)
    expect(importPublicKey(publicJwk).id).toBe(id)
    expect(await calculateJwkThumbprint({ kty: 'OKP', crv: 'Ed25519', x })).toBe(id)
    expect(published).toEqual({ kty: 'OKP', crv: 'Ed25519', x, kid: id, alg: 'EdDSA', use: 'sig' })
  })

  test('of a secret depends on the whole secret, and is none of its usual hashes', async () => {
    const secret = generateSecret()
    const { id } = await importSecret(secret)
    expect(id).toMatch(/^[\w-]{12}$/)
    expect((await importSecret(secret)).id).toBe(id)
    expect((await importSecret(`${secret}.`)).id).not.toBe(id)
    for (const algorithm of ['md5', 'sha1', 'sha256', 'sha512'] as const) {
      expect(new Bun.CryptoHasher(algorithm).update(secret).digest('base64url')).not.toStartWith(id)
    }
    const thumbprint = await calculateJwkThumbprint({
      kty: 'oct',
      k: Buffer.from(secret).toString('base64url'),
    })
    expect(thumbprint).not.toStartWith(id)
  })
})

test('a key pair can be given as JSON Web Key or PEM, also with escaped line breaks', () => {
  const { id } = importKeyPair(jwk)
  const texts = [JSON.stringify(JSON.parse(jwk), null, 2), pem, pem.trim(), pem.replaceAll('\n', '\\n')]
  for (const text of texts) expect(importKeyPair(text).id).toBe(id)
  for (const text of [...texts, publicJwk, publicPem]) expect(importPublicKey(text).id).toBe(id)
})

test('the signing keys cannot be read from the process', async () => {
  const { signWith } = importKeyPair(jwk)
  expect(signWith.extractable).toBe(false)
  expect((await importSecret(generateSecret())).signWith.extractable).toBe(false)
})

describe('a damaged key is refused, and the message contains no part of it', () => {
  const other = JSON.parse(generateKeyPair()) as { x: string }
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const encrypted = privateKey.export({
    format: 'pem',
    type: 'pkcs8',
    cipher: 'aes-256-cbc',
    passphrase: 'a passphrase',
  }) as string
  const x25519 = generateKeyPairSync('x25519').privateKey
  const damages: [string, string, string][] = [
    ['an empty text', '', 'is empty'],
    ['a truncated JSON Web Key', jwk.slice(0, -10), 'is not valid JSON'],
    [
      'a JSON Web Key of another type',
      JSON.stringify({ ...JSON.parse(jwk), kty: 'oct' }),
      'not an Ed25519 key',
    ],
    [
      'a JSON Web Key of another curve',
      JSON.stringify({ ...JSON.parse(jwk), crv: 'X25519' }),
      'not an Ed25519 key',
    ],
    ['a truncated private part', JSON.stringify({ ...JSON.parse(jwk), d: d.slice(0, 20) }), 'is damaged'],
    ['a private part that is not text', JSON.stringify({ ...JSON.parse(jwk), d: 1 }), 'is damaged'],
    ['the public part of another key', JSON.stringify({ ...JSON.parse(jwk), x: other.x }), 'is damaged'],
    ['no public part', JSON.stringify({ ...JSON.parse(jwk), x: undefined }), 'is damaged'],
    ['a private part of zeros', JSON.stringify({ ...JSON.parse(jwk), d: 'A'.repeat(43) }), 'is damaged'],
    ['a public key', publicJwk, 'is a public key'],
    ['a public key as PEM', publicPem, 'is a public key'],
    ['PEM without its end', pem.slice(0, 60), 'is neither a JSON Web Key nor unencrypted PEM'],
    ['encrypted PEM', encrypted, 'is neither a JSON Web Key nor unencrypted PEM'],
    ['an RSA key', rsa.export({ format: 'pem', type: 'pkcs8' }) as string, 'is not an Ed25519 key'],
    ['an X25519 key', x25519.export({ format: 'pem', type: 'pkcs8' }) as string, 'is not an Ed25519 key'],
    ['a text that is no key', 'nonsense', 'is neither a JSON Web Key nor unencrypted PEM'],
    ['a path', '/run/secrets/key.pem', 'is neither a JSON Web Key nor unencrypted PEM'],
  ]
  for (const [name, text, message] of damages) {
    test(name, () => {
      const received = messageOf(() => importKeyPair(text))
      expect(received).toContain(message)
      for (const part of text.split(/["\s]/).filter((each) => each.length > 8)) {
        expect(received).not.toContain(part)
      }
    })
  }

  test('a private key that is not random', () => {
    const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32)])
    const text = `-----BEGIN PRIVATE KEY-----\n${der.toString('base64')}\n-----END PRIVATE KEY-----\n`
    expect(messageOf(() => importKeyPair(text))).toBe('is easy to guess: it is not random')
  })
})

describe('the settings', () => {
  const secret = generateSecret()
  const faultsOf = (environment: Record<string, string>): readonly string[] => {
    try {
      readConfig(environment, [])
      return []
    } catch (error) {
      return (error as ConfigError).faults
    }
  }

  test('without any, secrets sign tokens for the audience parley', () => {
    const choice = <Choice>(_: string, fallback: Choice) => fallback
    expect(readKeySettings({ environment: {}, choice, faults: [] })).toEqual({
      jwtAlgorithm: 'HS256',
      jwtAudience: 'parley',
      jwtSecret: undefined,
      jwtSecretPrevious: undefined,
      jwtPrivateKey: undefined,
      jwtPrivateKeyPrevious: undefined,
    })
  })

  test('all keys can come from the environment, in any letter case of the algorithm', () => {
    expect(faultsOf({ JWT_SECRET: secret, JWT_SECRET_PREVIOUS: generateSecret() })).toEqual([])
    const pair = { JWT_PRIVATE_KEY: pem, JWT_PRIVATE_KEY_PREVIOUS: publicJwk, JWT_SECRET_PREVIOUS: secret }
    expect(faultsOf({ ...pair, JWT_ALGORITHM: 'EdDSA' })).toEqual([])
    expect(readConfig({ ...pair, JWT_ALGORITHM: 'eddsa' }, [])).toMatchObject({ jwtAlgorithm: 'EdDSA' })
  })

  test('a key that would have no effect is refused, and the message names the remedy', () => {
    const fault = (algorithm: string, name: string) =>
      `${name} has no effect with JWT_ALGORITHM=${algorithm}. Rename it to ${name}_PREVIOUS to keep its tokens ` +
      'valid, or remove it'
    expect(faultsOf({ JWT_ALGORITHM: 'EdDSA', JWT_SECRET: secret })).toEqual([fault('EdDSA', 'JWT_SECRET')])
    expect(faultsOf({ JWT_PRIVATE_KEY: jwk })).toEqual([fault('HS256', 'JWT_PRIVATE_KEY')])
  })

  const invalid: [string, string, string][] = [
    ['JWT_SECRET', 'x9'.repeat(15), 'is too short: a secret has at least 32 bytes'],
    ['JWT_SECRET', 'changeme'.repeat(4), 'is easy to guess: it repeats itself. Generate a random one'],
    ['JWT_SECRET_PREVIOUS', 'not long enough', 'is too short: a secret has at least 32 bytes'],
    ['JWT_SECRET_PREVIOUS', 'a'.repeat(64), 'is easy to guess'],
    ['JWT_PRIVATE_KEY_PREVIOUS', 'nonsense', 'is neither a JSON Web Key nor unencrypted PEM'],
    ['JWT_ALGORITHM', 'none', 'must be one of HS256, EdDSA'],
    ['JWT_ALGORITHM', 'RS256', 'must be one of HS256, EdDSA'],
    ['JWT_AUDIENCE', 'two words', 'must be a name or a URI'],
    ['JWT_AUDIENCE', 'a'.repeat(201), 'must be a name or a URI'],
    ['JWT_AUDIENCE', 'café', 'must be a name or a URI'],
  ]
  for (const [name, value, message] of invalid) {
    test(`${name}=${value.slice(0, 20)}`, () => {
      const faults = faultsOf({ [name]: value })
      expect(faults).toEqual([expect.stringContaining(`${name} ${message}`)])
      expect(faults.join()).not.toContain(value)
    })
  }

  test('a private key that is damaged is refused without any part of it', () => {
    const faults = faultsOf({ JWT_ALGORITHM: 'EdDSA', JWT_PRIVATE_KEY: jwk.replace(d, d.slice(1)) })
    expect(faults).toEqual(['JWT_PRIVATE_KEY is damaged: "x" or "d" is not a key of 32 bytes in base64url'])
  })

  test('32 bytes are enough, counted as UTF-8', () => {
    expect(secretFault('жщэюяцйфкглм')).toContain('too short')
    expect(secretFault('жщэюяцйфкглмнпрх')).toBeUndefined()
  })
})
