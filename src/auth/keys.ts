export const algorithms = ['HS256', 'EdDSA'] as const

export type Algorithm = (typeof algorithms)[number]

/** The audience of tokens unless the operator sets another one. */
export const defaultAudience = 'parley'

/** A public key as the JSON Web Key Set contains it (RFC 7517, RFC 8037). */
export interface PublicJwk {
  readonly kty: 'OKP'
  readonly crv: 'Ed25519'
  readonly x: string
  readonly kid: string
  readonly alg: 'EdDSA'
  readonly use: 'sig'
}

/** A key that verifies tokens. */
export interface VerificationKey {
  /** The `kid` in the header of the tokens that the key verifies. */
  readonly id: string
  /** The only algorithm that the key is used with. */
  readonly algorithm: Algorithm
  readonly verifyWith: CryptoKey
  /** Undefined for a secret. */
  readonly publicJwk?: PublicJwk
}

export interface SigningKey extends VerificationKey {
  readonly signWith: CryptoKey
}

export interface Keys {
  readonly current: SigningKey
  /** Keys whose tokens are still valid, and which sign no new ones. */
  readonly previous: readonly VerificationKey[]
}

/** The public keys that verify tokens; none if all keys are secrets. */
export const publicKeysOf = ({ current, previous }: Keys): readonly PublicJwk[] =>
  [current, ...previous].flatMap(({ publicJwk }) => publicJwk ?? [])

/** The text of a key cannot be used. The message is the end of a sentence such as "the key …". */
export class UnusableKey extends Error {}
