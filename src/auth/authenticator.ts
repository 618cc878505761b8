import { supportedVersions, versionHeader } from '../contract/operations.ts'
import { type ProblemCode, ProblemError, unavailable } from '../contract/problems.ts'
import {
  type Authenticator,
  bearerToken,
  type Identity,
  isCanonical,
  type RoutePolicy,
} from '../http/gate.ts'
import type { RequestContext } from '../http/request-context.ts'
import type { ClientAddress, Peer } from '../limits/client-address.ts'
import { createFifoCache } from '../limits/fifo-cache.ts'
import type { Count, RateLimits } from '../limits/rate-limits.ts'
import { chain, type MaybePromise } from '../maybe-promise.ts'
import type { User, Users } from '../users/users.ts'
import type { Tokens } from './tokens.ts'

interface AuthenticatorOptions {
  readonly tokens: Tokens
  readonly users: Users
  readonly rateLimits: RateLimits
  readonly clientAddress: ClientAddress
  readonly isDraining: () => boolean
}

/** @throws ProblemError rate-limit-exceeded */
function recordCount(context: RequestContext, count: Count): void {
  context.count = count
  if (count.exceeded) {
    throw new ProblemError('rate-limit-exceeded', { retryAfterSeconds: count.resetSeconds })
  }
}

/** The number of cached identities. One takes the header's text and about 200 bytes. */
const cacheCapacity = 20_000

export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { tokens, users, rateLimits, clientAddress, isDraining } = options
  /** By the value of `Authorization`. The signature of a cached token needs no second verification. */
  const cache = createFifoCache<string, Identity>(cacheCapacity)

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

  /** The cached identity for this `Authorization` header, if its token and its account are still valid. */
  function fromCache(authorization: string, now: number): MaybePromise<Identity | undefined> {
    const identity = cache.get(authorization)
    if (!identity) return undefined
    const valid = identity.expiresAt > now && isCurrent(identity)
    if (valid === true) return identity
    return chain(valid, (current) => {
      if (current) return identity
      cache.delete(authorization)
      return undefined
    })
  }

  async function verify(token: string): Promise<Identity | undefined> {
    const claims = await tokens.verify(token)
    if (!claims) return undefined
    const accountsVersion = users.version()
    // The token of a removed account is invalid.
    const user: User | undefined = await users.find(claims.userId)
    if (!user) return undefined
    return { user, accountsVersion, expiresAt: claims.expiresAt, rateLimitKey: rateLimits.key(user.id) }
  }

  /** @throws ProblemError rate-limit-exceeded */
  function count(
    { limiter }: RoutePolicy,
    context: RequestContext,
    identity: Identity | undefined,
    peer: Peer | null,
  ): MaybePromise<void> {
    if (!limiter) return
    const key =
      limiter.partition === 'user' && identity
        ? identity.rateLimitKey
        : rateLimits.key(clientAddress(context.request, peer))
    context.limiter = limiter
    const counted = limiter.count(key, context.arrivedAt)
    if (counted instanceof Promise) return counted.then((later) => recordCount(context, later))
    recordCount(context, counted)
  }

  function check(
    policy: RoutePolicy,
    context: RequestContext,
    identity: Identity | undefined,
    failureCode: ProblemCode,
  ): Identity | undefined {
    if (isDraining()) throw unavailable('shutting-down')
    const version = context.request.headers.get(versionHeader)
    if (version !== null && !supportedVersions.includes(version)) {
      throw new ProblemError('unsupported-api-version', { supportedVersions })
    }
    if (policy.secured && !identity) throw new ProblemError(failureCode)
    return identity
  }

  /**
   * Counts a request and applies the remaining checks.
   *
   * @param failureCode the problem of a secured route without an identity
   */
  function admit(
    policy: RoutePolicy,
    context: RequestContext,
    identity: Identity | undefined,
    peer: Peer | null,
    failureCode: ProblemCode,
  ): MaybePromise<Identity | undefined> {
    const counted = count(policy, context, identity, peer)
    if (counted instanceof Promise) return counted.then(() => check(policy, context, identity, failureCode))
    return check(policy, context, identity, failureCode)
  }

  /** Counts a request whose account could not be read, so that an outage does not disable the limits. */
  function failAfterCounting(
    policy: RoutePolicy,
    context: RequestContext,
    peer: Peer | null,
    error: unknown,
  ): MaybePromise<never> {
    return chain(count(policy, context, undefined, peer), () => {
      throw error
    })
  }

  async function authenticateLater(
    policy: RoutePolicy,
    context: RequestContext,
    authorization: string,
    cached: MaybePromise<Identity | undefined>,
    peer: Peer | null,
  ): Promise<Identity | undefined> {
    const token = bearerToken(authorization)
    let identity: Identity | undefined
    try {
      identity = await cached
      if (!identity && token !== undefined) identity = await verify(token)
    } catch (error) {
      return failAfterCounting(policy, context, peer, error)
    }
    // Cache only the canonical header; white space around the token would otherwise fill the cache.
    if (identity && token !== undefined && policy.cachesIdentity && isCanonical(authorization, token)) {
      cache.set(authorization, identity)
    }
    return admit(policy, context, identity, peer, 'invalid-token')
  }

  return {
    authenticate(policy, context, authorization, peer) {
      if (!policy.secured || authorization === null) {
        return admit(policy, context, undefined, peer, 'missing-token')
      }
      let cached: MaybePromise<Identity | undefined>
      try {
        cached = fromCache(authorization, context.arrivedAt)
      } catch (error) {
        return failAfterCounting(policy, context, peer, error)
      }
      if (cached && !(cached instanceof Promise)) return admit(policy, context, cached, peer, 'invalid-token')
      if (!cached && bearerToken(authorization) === undefined) {
        return admit(policy, context, undefined, peer, 'missing-token')
      }
      return authenticateLater(policy, context, authorization, cached, peer)
    },
    isCurrent,
  }
}
