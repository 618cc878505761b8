import { openapi } from '../contract/documents.ts'
import type { User } from '../contract/handlers.ts'
import type { Peer } from '../limits/client-address.ts'
import type { RateLimiter, RateLimitKey } from '../limits/rate-limits.ts'
import type { MaybePromise } from '../maybe-promise.ts'
import type { RequestContext } from './request-context.ts'

/** The authenticated user, the expiry of the token, and the rate-limit key. */
export interface Identity {
  /** Kept current by `Authenticator.isCurrent`. */
  user: User
  /** The version of the accounts when `user` was read. */
  accountsVersion: number
  /** Seconds since the epoch. */
  readonly expiresAt: number
  readonly rateLimitKey: RateLimitKey
}

/** What a route requires of a request before its handler runs. */
export interface RoutePolicy {
  readonly secured: boolean
  /** Whether verified identities are cached. One takes half a kilobyte and saves the next request a verification. */
  readonly cachesIdentity: boolean
  readonly limiter: RateLimiter | undefined
}

/** Decides which requests reach a handler, and for whom. */
export interface Authenticator {
  /**
   * Counts a request against the rate limit and authenticates it. The result is available at once if the
   * identity is cached.
   *
   * @param context receives the rate-limit headers
   * @param authorization the value of the `Authorization` header (RFC 6750)
   * @returns the identity, or undefined if the route is not secured
   * @throws ProblemError rate-limit-exceeded, unsupported-api-version, missing-token, invalid-token or
   *   shutting-down
   */
  authenticate(
    policy: RoutePolicy,
    context: RequestContext,
    authorization: string | null,
    peer: Peer | null,
  ): MaybePromise<Identity | undefined>
  /** Whether the account still exists. Reads it only if an account has changed since the last call. */
  isCurrent(identity: Identity): MaybePromise<boolean>
}

const scheme = 'bearer '
const { maxLength } = openapi.components.schemas.Token as { maxLength: number }

/** The compact serialisation of a JSON Web Signature (RFC 7515, section 3.1). */
const jws = /^[\w-]+\.[\w-]+\.[\w-]+$/

/** The credentials of `Authorization: Bearer` (RFC 6750), or undefined if there are none. */
export function bearerToken(authorization: string | null): string | undefined {
  if (authorization?.slice(0, scheme.length).toLowerCase() !== scheme) return undefined
  return authorization.slice(scheme.length).trim() || undefined
}

/** Whether a token has the form of one. Other tokens are neither verified nor cached. */
export const isWellFormedToken = (token: string): boolean => token.length <= maxLength && jws.test(token)
