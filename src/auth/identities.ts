import type { Identity } from '../http/gate.ts'
import { createFifoCache } from '../limits/fifo-cache.ts'
import type { RateLimits } from '../limits/rate-limits.ts'
import { chain, type MaybePromise } from '../maybe-promise.ts'
import type { Users } from '../users/users.ts'
import type { Tokens } from './tokens.ts'

interface IdentitiesOptions {
  readonly tokens: Tokens
  readonly users: Users
  readonly rateLimits: RateLimits
}

export interface Identities {
  /** The cached identity for this `Authorization` header, if its token and its account are still valid. */
  fromCache(authorization: string, now: number): MaybePromise<Identity | undefined>
  /** Caches an identity that `verify` returned. */
  cache(authorization: string, identity: Identity): void
  /** Verifies a token and reads its account. Returns undefined if either is invalid. */
  verify(token: string): Promise<Identity | undefined>
  /** Whether the account still exists. Reads it only if an account has changed since the last call. */
  isCurrent(identity: Identity): MaybePromise<boolean>
}

/** The number of cached identities. One takes the header's text and about 200 bytes. */
const cacheCapacity = 20_000

/** The users that tokens identify (docs/decisions/cached-identities.md). */
export function createIdentities({ tokens, users, rateLimits }: IdentitiesOptions): Identities {
  /** By the value of `Authorization`. The signature of a cached token needs no second verification. */
  const cached = createFifoCache<string, Identity>(cacheCapacity)

  function isCurrent(identity: Identity): MaybePromise<boolean> {
    // Read before the account, so that a change in between is noticed by the next call.
    const version = users.version()
    if (identity.accountsVersion === version) return true
    return chain(users.find(identity.user.id), (user) => {
      if (!user) return false
      identity.user = user
      identity.accountsVersion = version
      return true
    })
  }

  return {
    fromCache(authorization, now) {
      const identity = cached.get(authorization)
      if (!identity) return undefined
      const valid = identity.expiresAt > now && isCurrent(identity)
      if (valid === true) return identity
      return chain(valid, (current) => {
        if (current) return identity
        cached.delete(authorization)
        return undefined
      })
    },
    cache: cached.set,
    async verify(token) {
      const claims = await tokens.verify(token)
      if (!claims) return undefined
      const accountsVersion = users.version()
      // The token of a removed account is invalid.
      const user = await users.find(claims.userId)
      if (!user) return undefined
      return { user, accountsVersion, expiresAt: claims.expiresAt, rateLimitKey: rateLimits.key(user.id) }
    },
    isCurrent,
  }
}
