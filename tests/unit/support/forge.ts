import { createHmac, type KeyObject, sign } from 'node:crypto'
import { keys, secret } from './service.ts'

export const encode = (part: object | string) =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')

interface Forgery {
  /** Changes to the header of a token that the service issues with `secret`. */
  readonly header?: object
  readonly claims: object
  readonly key?: string | Uint8Array
  readonly hash?: string
}

/** Signs a token with an HMAC. If nothing is changed, it is valid. */
export function forge({ header = {}, claims, key = secret, hash = 'sha256' }: Forgery): string {
  const signed = `${encode({ alg: 'HS256', kid: keys.current.id, typ: 'at+jwt', ...header })}.${encode(claims)}`
  return `${signed}.${createHmac(hash, key).update(signed).digest('base64url')}`
}

/** Signs a token as releases before 1.2 did. If nothing is changed, it is valid. */
export const forgeLegacy = ({ header, ...forgery }: Forgery) =>
  forge({ ...forgery, header: { kid: undefined, typ: 'JWT', ...header } })

/** Signs a token with an Ed25519 key. */
export function forgeWithPrivateKey(header: object, claims: object, privateKey: KeyObject): string {
  const signed = `${encode({ alg: 'EdDSA', typ: 'at+jwt', ...header })}.${encode(claims)}`
  return `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`
}

/** The claims of a valid token of a user. */
export function claimsFor(userId: string) {
  const now = Math.floor(Date.now() / 1000)
  return {
    sub: userId,
    client_id: 'parley',
    jti: crypto.randomUUID() as string,
    iat: now - 10,
    exp: now + 3600,
    iss: 'parley',
    aud: 'parley',
    auth_time: now - 10,
    tokens_valid_from: 0,
  }
}

export type ForgedClaims = ReturnType<typeof claimsFor>

export function without<Name extends keyof ForgedClaims>(claims: ForgedClaims, name: Name) {
  const { [name]: _, ...rest } = claims
  return rest
}
