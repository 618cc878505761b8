import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { jwt } from '@elysiajs/jwt'
import { nowSeconds } from '../clock.ts'

/** What a valid token says. */
export interface Claims {
  readonly userId: string
  /** Seconds since the epoch. */
  readonly expiresAt: number
}

export interface Tokens {
  issue(userId: string): Promise<string>
  /** The claims, or undefined where anything about the token does not hold. */
  verify(token: string): Promise<Claims | undefined>
}

interface TokensOptions {
  readonly secret: Uint8Array<ArrayBuffer>
  readonly ttlSeconds: number
}

const algorithm = 'HS256'
const issuer = 'parley'
const audience = 'parley'

/**
 * The secret that signs tokens: the operator's, or one made at the first start and kept in `dataDir`,
 * readable by this user only, so that tokens survive a restart.
 */
export function loadSecret(dataDir: string, configured: string | undefined): Uint8Array<ArrayBuffer> {
  if (configured !== undefined) return new TextEncoder().encode(configured)
  const file = join(dataDir, 'jwt-secret')
  if (!existsSync(file)) {
    const secret = Buffer.from(crypto.getRandomValues(new Uint8Array(48))).toString('base64url')
    // Made beside its place, so that a crash leaves no half of it.
    writeFileSync(`${file}.new`, `${secret}\n`, { mode: 0o600, flush: true })
    renameSync(`${file}.new`, file)
  }
  chmodSync(file, 0o600)
  const secret = new TextEncoder().encode(readFileSync(file, 'utf8').trim())
  if (secret.length < 32)
    throw new Error(`${file} is too short: restore it, or remove it to have a new one made`)
  return secret
}

/**
 * Tokens by @elysiajs/jwt, which by itself checks only the signature and the times: every other claim
 * is demanded here, at each verification (docs/decisions/tokens.md).
 */
export async function createTokens({ secret, ttlSeconds }: TokensOptions): Promise<Tokens> {
  // Imported once: a string or bytes would be imported again at each verification.
  const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
    'verify',
  ])
  const { sign, verify } = jwt({ name: 'jwt', secret: key, alg: algorithm, iss: issuer, aud: audience })
    .decorator.jwt
  const demands = {
    algorithms: [algorithm],
    issuer,
    audience,
    typ: 'JWT',
    requiredClaims: ['sub', 'iat', 'exp', 'jti'],
  }
  return {
    issue(userId) {
      const now = nowSeconds()
      return sign({ sub: userId, jti: Bun.randomUUIDv7(), iat: true, exp: now + ttlSeconds })
    },
    async verify(token) {
      const claims = await verify(token, demands)
      if (!claims || typeof claims.sub !== 'string' || typeof claims.exp !== 'number') return undefined
      if (typeof claims.iat !== 'number' || claims.iat > nowSeconds()) return undefined
      return { userId: claims.sub, expiresAt: claims.exp }
    },
  }
}
