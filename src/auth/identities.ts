import { authorizationOf, bearerToken, type Identity, type Validity } from '../http/gate.ts'
import { createFifoCache } from '../limits/fifo-cache.ts'
import type { RateLimits } from '../limits/rate-limits.ts'
import { chain, type MaybePromise } from '../maybe-promise.ts'
import type { Account, Users } from '../users/users.ts'
import type { Revocations } from './revocations.ts'
import type { Tokens } from './tokens.ts'

interface IdentitiesOptions {
  readonly tokens: Tokens
  readonly users: Users
  readonly revocations: Revocations
  readonly rateLimits: RateLimits
}

export interface Identities {
  /**
   * The cached identity of a request, if its token and its account are still valid.
   *
   * @param authorization the value of `Authorization`
   * @param now epoch seconds
   */
  fromCache(authorization: string, now: number): MaybePromise<Identity | undefined>
  /** Caches an identity that `verify` returned. The parameters are those of `fromCache`. */
  cache(authorization: string, identity: Identity, now: number): void
  /** The number of cached identities. */
  size(): number
  /** Verifies a token and reads its account. Returns undefined if either is invalid. */
  verify(token: string): Promise<Identity | undefined>
  /**
   * Whether the account still exists and the token has not been revoked. Reads them only if an account or a
   * revocation has changed since the last call.
   */
  validate(identity: Identity): MaybePromise<Validity>
  /** A number that changes when any account or revocation may have changed. */
  accountsVersion(): number
}

type ValidatedToken = Pick<Identity, 'tokenId' | 'tokensValidFrom'>

/** Expired identities are removed from the cache once in this many seconds, when an identity is added. */
const evictionIntervalSeconds = 60

/** The number of cached identities. One takes the text of the token and about 200 bytes. */
const cacheCapacity = 20_000

/** The key of an identity, which does not depend on white space and the case of the scheme. */
const keyOf = (authorization: string) => authorizationOf(bearerToken(authorization) ?? '')

/** The users that tokens identify (docs/decisions/cached-identities.md). */
export function createIdentities({ tokens, users, revocations, rateLimits }: IdentitiesOptions): Identities {
  /** By `keyOf`. The signature of a cached token needs no second verification. */
  const cached = createFifoCache<string, Identity>(cacheCapacity)

  let evictedAt = 0

  function compare(account: Account | undefined, token: ValidatedToken): MaybePromise<Validity> {
    if (!account) return 'account-removed'
    if (account.tokensValidFrom !== token.tokensValidFrom) return 'logged-out'
    return chain(revocations.isRevoked(token.tokenId), (revoked) => (revoked ? 'logged-out' : 'valid'))
  }

  function validate(identity: Identity): MaybePromise<Validity> {
    // Read before the account, so that a change in between is noticed by the next call.
    const version = users.version()
    if (identity.accountsVersion === version) return 'valid'
    return chain(users.find(identity.user.id), (account) =>
      chain(compare(account, identity), (validity) => {
        if (validity !== 'valid' || !account) return validity
        // Responses are cached by user object, so an unchanged user keeps its object.
        if (account.user.username !== identity.user.username) identity.user = account.user
        identity.accountsVersion = version
        return validity
      }),
    )
  }

  return {
    fromCache(authorization, now) {
      // Almost all clients write the header like the key, so that most requests need not extract their token.
      const identity = cached.get(authorization) ?? cached.get(keyOf(authorization))
      if (!identity) return undefined
      const validity = identity.expiresAt > now ? validate(identity) : 'expired'
      if (validity === 'valid') return identity
      return chain(validity, (later) => {
        if (later === 'valid') return identity
        cached.delete(keyOf(authorization))
        return undefined
      })
    },
    cache(authorization, identity, now) {
      if (now - evictedAt >= evictionIntervalSeconds) {
        cached.deleteWhere(({ expiresAt }) => expiresAt <= now)
        evictedAt = now
      }
      cached.set(keyOf(authorization), identity)
    },
    size: () => cached.size,
    async verify(token) {
      const claims = await tokens.verify(token)
      if (!claims) return undefined
      const accountsVersion = users.version()
      const account = await users.find(claims.userId)
      if (!account || (await compare(account, claims)) !== 'valid') return undefined
      const { tokenId, expiresAt, authTime, tokensValidFrom } = claims
      const { user } = account
      const rateLimitKey = rateLimits.key(user.id)
      return { user, accountsVersion, tokenId, expiresAt, authTime, tokensValidFrom, rateLimitKey }
    },
    validate,
    accountsVersion: users.version,
  }
}
