import { supportedVersions, versionHeader } from '../contract/operations.ts'
import { type ProblemCode, ProblemError, unavailable } from '../contract/problems.ts'
import {
  type Authenticator,
  bearerToken,
  type Identity,
  isWellFormedToken,
  type RoutePolicy,
} from '../http/gate.ts'
import type { RequestContext } from '../http/request-context.ts'
import type { ClientAddress, Peer } from '../limits/client-address.ts'
import type { Count, RateLimits } from '../limits/rate-limits.ts'
import { chain, type MaybePromise } from '../maybe-promise.ts'
import type { Identities } from './identities.ts'

interface AuthenticatorOptions {
  readonly identities: Identities
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

export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { identities, rateLimits, clientAddress, isDraining } = options

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
        : rateLimits.key(context.client ?? clientAddress(context.request, peer))
    context.limiter = limiter
    const counted = limiter.count(key, Math.floor(context.startedAt / 1000))
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
    context.userId = identity?.user.id
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
    { authorization, token }: { authorization: string; token: string },
    cached: MaybePromise<Identity | undefined>,
    peer: Peer | null,
  ): Promise<Identity | undefined> {
    let identity: Identity | undefined
    try {
      identity = (await cached) ?? (await identities.verify(token))
    } catch (error) {
      return failAfterCounting(policy, context, peer, error)
    }
    const admitted = await admit(policy, context, identity, peer, 'invalid-token')
    // Cached only once the request is admitted, so that refused requests cannot fill the cache.
    if (identity && policy.cachesIdentity) identities.cache(authorization, identity, context.arrivedAt)
    return admitted
  }

  return {
    authenticate(policy, context, authorization, peer) {
      if (!policy.secured || authorization === null) {
        return admit(policy, context, undefined, peer, 'missing-token')
      }
      let cached: MaybePromise<Identity | undefined>
      try {
        cached = identities.fromCache(authorization, context.arrivedAt)
      } catch (error) {
        return failAfterCounting(policy, context, peer, error)
      }
      if (cached && !(cached instanceof Promise)) return admit(policy, context, cached, peer, 'invalid-token')
      const token = bearerToken(authorization)
      if (token === undefined) return admit(policy, context, undefined, peer, 'missing-token')
      if (!isWellFormedToken(token)) return admit(policy, context, undefined, peer, 'invalid-token')
      return authenticateLater(policy, context, { authorization, token }, cached, peer)
    },
    validate: identities.validate,
    async identify(token) {
      return isWellFormedToken(token) ? identities.verify(token) : undefined
    },
    accountsVersion: identities.accountsVersion,
  }
}
