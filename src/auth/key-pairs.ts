import type { KeyObject } from 'node:crypto'
import { guessableFault } from './guessable-secrets.ts'
import { type SigningKey, UnusableKey, type VerificationKey } from './keys.ts'

const ed25519 = { name: 'Ed25519' }

/** Loaded on demand, because a service whose tokens are signed with a secret does not need the module. */
const nodeCrypto = () => process.getBuiltinModule('node:crypto')

/** The RFC 7638 thumbprint of a public key. */
function thumbprint(x: string): string {
  // The members in lexicographic order, without white space.
  const members = JSON.stringify({ crv: 'Ed25519', kty: 'OKP', x })
  return new Bun.CryptoHasher('sha256').update(members).digest('base64url')
}

function verificationKey(publicKey: KeyObject) {
  const { x = '' } = publicKey.export({ format: 'jwk' })
  const id = thumbprint(x)
  return {
    id,
    algorithm: 'EdDSA',
    verifyWith: publicKey.toCryptoKey(ed25519, true, ['verify']),
    publicJwk: { kty: 'OKP', crv: 'Ed25519', x, kid: id, alg: 'EdDSA', use: 'sig' },
  } as const satisfies VerificationKey
}

interface OkpJwk {
  readonly kty: string
  readonly crv: string
  readonly x: string
  readonly d?: string
}

/** @throws UnusableKey with a message that contains no part of the key */
function parseJwk(text: string): KeyObject {
  let jwk: OkpJwk
  try {
    jwk = JSON.parse(text)
  } catch {
    throw new UnusableKey('is not valid JSON')
  }
  if (jwk.kty !== 'OKP' || jwk.crv !== 'Ed25519') {
    throw new UnusableKey('is not an Ed25519 key: it needs "kty": "OKP" and "crv": "Ed25519"')
  }
  let key: KeyObject
  try {
    const options = { key: { ...jwk }, format: 'jwk' } as const
    key = jwk.d === undefined ? nodeCrypto().createPublicKey(options) : nodeCrypto().createPrivateKey(options)
  } catch {
    throw new UnusableKey('is damaged: "x" or "d" is not a key of 32 bytes in base64url')
  }
  // The public part is calculated from the private part, whatever `x` says.
  if (key.export({ format: 'jwk' }).x !== jwk.x) {
    throw new UnusableKey('is damaged: "x" is not the public part of "d"')
  }
  return key
}

/** @throws UnusableKey with a message that contains no part of the key */
function parsePem(text: string): KeyObject {
  try {
    // Files that set environment variables have no line breaks within a value.
    const pem = text.replaceAll('\\n', '\n')
    return pem.includes('PRIVATE KEY')
      ? nodeCrypto().createPrivateKey(pem)
      : nodeCrypto().createPublicKey(pem)
  } catch {
    throw new UnusableKey('is neither a JSON Web Key nor unencrypted PEM')
  }
}

/** @throws UnusableKey with a message that contains no part of the key */
function parseEd25519(text: string): KeyObject {
  if (text === '') throw new UnusableKey('is empty')
  const key = text.startsWith('{') ? parseJwk(text) : parsePem(text)
  if (key.asymmetricKeyType !== 'ed25519') throw new UnusableKey('is not an Ed25519 key')
  if (key.type !== 'private') return key
  const { d = '' } = key.export({ format: 'jwk' })
  if (guessableFault(d) !== undefined) throw new UnusableKey('is easy to guess: it is not random')
  return key
}

/** @throws UnusableKey if the text is not an Ed25519 private key as JSON Web Key or PEM */
export function importKeyPair(text: string): SigningKey {
  const privateKey = parseEd25519(text)
  if (privateKey.type !== 'private') throw new UnusableKey('is a public key: it needs the private key')
  return {
    ...verificationKey(nodeCrypto().createPublicKey(privateKey)),
    signWith: privateKey.toCryptoKey(ed25519, false, ['sign']),
  }
}

/** The secret number of an Ed25519 private key, in base64url. It does not depend on how the key is written. */
export const secretPartOf = (text: string): string => parseEd25519(text).export({ format: 'jwk' }).d ?? ''

/** @throws UnusableKey if the text is not an Ed25519 private or public key as JSON Web Key or PEM */
export function importPublicKey(text: string): VerificationKey {
  const key = parseEd25519(text)
  return verificationKey(key.type === 'private' ? nodeCrypto().createPublicKey(key) : key)
}

/** A new key pair as JSON Web Key. */
export function generateKeyPair(): string {
  const { kty, crv, x, d } = nodeCrypto().generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
  return JSON.stringify({ kty, crv, x, d })
}
