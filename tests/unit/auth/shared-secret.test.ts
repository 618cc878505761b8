import { expect, test } from 'bun:test'
import { createPrivateKey } from 'node:crypto'
import { generateKeyPair } from '../../../src/auth/key-pairs.ts'
import { deriveSharedSecret } from '../../../src/auth/shared-secret.ts'
import { readConfig } from '../../../src/config.ts'

const secretOf = (settings: Record<string, string>, purpose = 'a purpose') =>
  Buffer.from(deriveSharedSecret(readConfig(settings, []), purpose)).toString('hex')

const JWT_SECRET = 'k3Jv9qLz7Xw2Rb8Nf4Tc6Ym1Pd5Hs0Ga'

test('nodes with the same JWT_SECRET have the same secret, and others do not', () => {
  expect(secretOf({ JWT_SECRET })).toBe(secretOf({ JWT_SECRET }))
  expect(secretOf({ JWT_SECRET })).toMatch(/^[0-9a-f]{64}$/)
  expect(secretOf({ JWT_SECRET: `${JWT_SECRET}x` })).not.toBe(secretOf({ JWT_SECRET }))
})

test('each purpose has another secret', () => {
  expect(secretOf({ JWT_SECRET }, 'another')).not.toBe(secretOf({ JWT_SECRET }))
})

test('nodes with the same JWT_PRIVATE_KEY have the same secret, however it is written', () => {
  const jwk = generateKeyPair()
  const key = createPrivateKey({ key: JSON.parse(jwk), format: 'jwk' })
  const pem = key.export({ format: 'pem', type: 'pkcs8' }) as string
  const ofKey = (JWT_PRIVATE_KEY: string) => secretOf({ JWT_ALGORITHM: 'EdDSA', JWT_PRIVATE_KEY })
  expect(ofKey(jwk)).toBe(ofKey(pem))
  expect(ofKey(generateKeyPair())).not.toBe(ofKey(jwk))
})
