import { jwt } from '@elysiajs/jwt'
import { epochSeconds } from '../clock.ts'

/** The claims of a valid token. */
export interface Claims {
  readonly userId: string
  /** Seconds since the epoch. */
  readonly expiresAt: number
}

export interface Tokens {
  issue(userId: string): Promise<string>
  /** Returns the claims, or undefined if the token is invalid in any respect. */
  verify(token: string): Promise<Claims | undefined>
}

interface TokensOptions {
  readonly secret: Uint8Array<ArrayBuffer>
  readonly ttlSeconds: number
}

/** Accepts tokens that were issued before the clock was set back a little, or by a node whose clock is ahead. */
const clockLeewaySeconds = 10

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
    issue(userId) {
      const now = epochSeconds()
      return sign({ sub: userId, jti: Bun.randomUUIDv7(), iat: true, exp: now + ttlSeconds })
    },
    async verify(token) {
      const claims = await verify(token, requirements)
      if (!claims || typeof claims.sub !== 'string' || typeof claims.exp !== 'number') return undefined
      if (typeof claims.iat !== 'number' || claims.iat > epochSeconds() + clockLeewaySeconds) return undefined
      return { userId: claims.sub, expiresAt: claims.exp }
    },
  }
}
