import { jwt } from '@elysiajs/jwt'
import { epochSeconds } from '../clock.ts'
import type { Account } from '../users/users.ts'

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
  readonly secret: Uint8Array<ArrayBuffer>
  readonly ttlSeconds: number
}

/** Accepts tokens that were issued before the clock was set back a little, or by a node whose clock is ahead. */
const clockLeewaySeconds = 10

const validFromClaim = 'tokens_valid_from'

const algorithm = 'HS256'
const issuer = 'parley'
const audience = 'parley'

/**
 * Issues and verifies tokens with @elysiajs/jwt. The plugin's own verification checks only the signature
 * and the times, so every verification passes the other requirements explicitly
 * (docs/decisions/tokens.md).
 */
export async function createTokens({ secret, ttlSeconds }: TokensOptions): Promise<Tokens> {
  // Imported once: the plugin would import a string or bytes again for each verification.
  const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
    'verify',
  ])
  const { sign, verify } = jwt({ name: 'jwt', secret: key, alg: algorithm, iss: issuer, aud: audience })
    .decorator.jwt
  const requirements = {
    algorithms: [algorithm],
    issuer,
    audience,
    typ: 'JWT',
    requiredClaims: ['sub', 'iat', 'exp', 'jti'],
  }
  return {
    async issue({ user, tokensValidFrom }, authTime) {
      const now = epochSeconds()
      const expiresAt = now + ttlSeconds
      const token = await sign({
        sub: user.id,
        jti: Bun.randomUUIDv7(),
        iat: true,
        exp: expiresAt,
        auth_time: authTime ?? now,
        // The name is private to this service (RFC 7519, section 4.3).
        [validFromClaim]: tokensValidFrom,
      })
      return { token, expiresAt }
    },
    async verify(token) {
      const claims = await verify(token, requirements)
      if (!claims) return undefined
      // Tokens that were issued before release 1.2 do not have the last two.
      const { sub, jti, iat, exp, auth_time = iat, [validFromClaim]: tokensValidFrom = 0 } = claims
      if (typeof sub !== 'string' || typeof jti !== 'string') return undefined
      if (typeof iat !== 'number' || iat > epochSeconds() + clockLeewaySeconds) return undefined
      if (typeof exp !== 'number' || typeof auth_time !== 'number') return undefined
      if (typeof tokensValidFrom !== 'number') return undefined
      return { tokenId: jti, userId: sub, expiresAt: exp, authTime: auth_time, tokensValidFrom }
    },
  }
}
