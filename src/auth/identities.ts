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
  /** The cached identity of a token, if the token and its account are still valid. @param now epoch seconds */
  fromCache(token: string, now: number): MaybePromise<Identity | undefined>
  /** Caches an identity that `verify` returned. @param now epoch seconds */
  cache(token: string, identity: Identity, now: number): void
  /** The number of cached identities. */
  size(): number
  /** Verifies a token and reads its account. Returns undefined if either is invalid. */
  verify(token: string): Promise<Identity | undefined>
  /** Whether the account still exists. Reads it only if an account has changed since the last call. */
  isCurrent(identity: Identity): MaybePromise<boolean>
}

/** Expired identities are removed from the cache once in this many seconds, when an identity is added. */
const evictionIntervalSeconds = 60

/** The number of cached identities. One takes the text of the token and about 200 bytes. */
const cacheCapacity = 20_000

/** The users that tokens identify (docs/decisions/cached-identities.md). */
export function createIdentities({ tokens, users, rateLimits }: IdentitiesOptions): Identities {
  /** By token. The signature of a cached token needs no second verification. */
  const cached = createFifoCache<string, Identity>(cacheCapacity)

  let evictedAt = 0

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
    fromCache(token, now) {
      const identity = cached.get(token)
      if (!identity) return undefined
      const valid = identity.expiresAt > now && isCurrent(identity)
      if (valid === true) return identity
      return chain(valid, (current) => {
        if (current) return identity
        cached.delete(token)
        return undefined
      })
    },
    cache(token, identity, now) {
      if (now - evictedAt >= evictionIntervalSeconds) {
        cached.deleteWhere(({ expiresAt }) => expiresAt <= now)
        evictedAt = now
      }
      cached.set(token, identity)
    },
    size: () => cached.size,
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
