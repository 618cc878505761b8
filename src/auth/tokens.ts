import { jwt } from '@elysiajs/jwt'
import { epochSeconds } from '../clock.ts'
import type { Account } from '../users/users.ts'
import { defaultAudience, type Keys } from './keys.ts'

/** The claims of a valid token. */
export interface Claims {
  /** The `jti` of the token, by which it is revoked. */
  readonly tokenId: string
  readonly userId: string
  /** Seconds since the epoch. */
  readonly expiresAt: number
  /** When the user entered the password: seconds since the epoch. A renewed token keeps it. */
  readonly authTime: number
  /** `Account.tokensValidFrom` when the token was issued. */
  readonly tokensValidFrom: number
}

export interface IssuedToken {
  readonly token: string
  /** Seconds since the epoch. */
  readonly expiresAt: number
}

export interface Tokens {
  /** @param authTime when the user entered the password: seconds since the epoch; now by default */
  issue(account: Account, authTime?: number): Promise<IssuedToken>
  /** Returns the claims, or undefined if the token is invalid in any respect. */
  verify(token: string): Promise<Claims | undefined>
}

interface TokensOptions {
  readonly keys: Keys
  readonly ttlSeconds: number
  /** The services that accept the tokens. */
  readonly audience?: string
}

/** Accepts tokens that were issued before the clock was set back a little, or by a node whose clock is ahead. */
const clockLeewaySeconds = 10

/** The name is private to this service (RFC 7519, section 4.3). */
const validFromClaim = 'tokens_valid_from'

const issuer = 'parley'

/** RFC 9068 requires the claim. The service knows no clients, so it is the same in all tokens. */
const clientId = 'parley'

const tokenType = 'at+jwt'
const requiredClaims = ['sub', 'iat', 'exp', 'jti', 'auth_time', validFromClaim]

/** Tokens that were issued before release 1.2 name no key. */
const legacyTokenType = 'JWT'
const legacyClaims = ['sub', 'iat', 'exp', 'jti']

type Verify = (token: string) => Promise<Record<string, unknown> | false>

/** The decoded header of a token, which has not been verified; undefined if it is malformed. */
function decodeHeader(encoded: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const header = JSON.parse(Buffer.from(encoded, 'base64url').toString())
    return typeof header === 'object' && header !== null ? header : undefined
  } catch {
    return undefined
  }
}

/** Returns undefined if a claim has a type or a value that no issued token has. */
function toClaims(payload: Readonly<Record<string, unknown>>): Claims | undefined {
  // Tokens that were issued before release 1.2 do not have the last two.
  const { sub, jti, iat, exp, auth_time = iat, [validFromClaim]: tokensValidFrom = 0 } = payload
  if (typeof sub !== 'string' || typeof jti !== 'string') return undefined
  if (typeof iat !== 'number' || iat > epochSeconds() + clockLeewaySeconds) return undefined
  if (typeof exp !== 'number' || typeof auth_time !== 'number') return undefined
  if (typeof tokensValidFrom !== 'number') return undefined
  return { tokenId: jti, userId: sub, expiresAt: exp, authTime: auth_time, tokensValidFrom }
}

/**
 * Creates the functions that verify tokens, one for each key and form of token. The plugin's own verification
 * checks only the signature and the times, so every verification passes the other requirements explicitly.
 */
function createVerifiers({ current, previous }: Keys, audience: string) {
  const byKeyId = new Map<string, Verify>()
  const legacy: Verify[] = []
  for (const key of [current, ...previous]) {
    const { verify } = jwt({ name: 'jwt', secret: key.verifyWith }).decorator.jwt
    const requirements = { algorithms: [key.algorithm], issuer, audience }
    const ofCurrentForm = { ...requirements, typ: tokenType, requiredClaims }
    const ofLegacyForm = { ...requirements, typ: legacyTokenType, requiredClaims: legacyClaims }
    byKeyId.set(key.id, (token) => verify(token, ofCurrentForm))
    if (key.algorithm === 'HS256') legacy.push((token) => verify(token, ofLegacyForm))
  }
  return { byKeyId, legacy }
}

/** Issues and verifies tokens with @elysiajs/jwt (docs/decisions/tokens.md). */
export function createTokens({ keys, ttlSeconds, audience = defaultAudience }: TokensOptions): Tokens {
  const { id: kid, algorithm, signWith } = keys.current
  const { sign } = jwt({
    name: 'jwt',
    secret: signWith,
    alg: algorithm,
    kid,
    typ: tokenType,
    iss: issuer,
    aud: audience,
  }).decorator.jwt
  const { byKeyId, legacy } = createVerifiers(keys, audience)

  /**
   * By the encoded header, which is the same in all tokens of a key. Only headers of valid tokens are added, so
   * clients cannot fill the map.
   */
  const verifiersByHeader = new Map<string, readonly Verify[]>()

  /** The functions to try: that of the key that the header names, or those of all secrets if it names none. */
  function verifiersFor(encodedHeader: string): readonly Verify[] {
    const header = decodeHeader(encodedHeader)
    if (!header) return []
    if (header.kid === undefined) return legacy
    const verify = byKeyId.get(header.kid as string)
    return verify ? [verify] : []
  }

  return {
    async issue({ user, tokensValidFrom }, authTime) {
      const now = epochSeconds()
      const expiresAt = now + ttlSeconds
      const token = await sign({
        sub: user.id,
        client_id: clientId,
        jti: Bun.randomUUIDv7(),
        iat: true,
        exp: expiresAt,
        auth_time: authTime ?? now,
        [validFromClaim]: tokensValidFrom,
      })
      return { token, expiresAt }
    },
    async verify(token) {
      const header = token.slice(0, token.indexOf('.'))
      const verifiers = verifiersByHeader.get(header) ?? verifiersFor(header)
      for (const verify of verifiers) {
        const payload = await verify(token)
        if (!payload) continue
        verifiersByHeader.set(header, verifiers)
        return toClaims(payload)
      }
      return undefined
    },
  }
}
