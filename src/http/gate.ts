import { openapi } from '../contract/documents.ts'
import type { TokenDetails, User } from '../contract/handlers.ts'
import type { CloseCodeName } from '../contract/types.gen.ts'
import type { Peer } from '../limits/client-address.ts'
import type { RateLimiter, RateLimitKey } from '../limits/rate-limits.ts'
import type { MaybePromise } from '../maybe-promise.ts'
import type { RequestContext } from './request-context.ts'

/** The authenticated user, the token, and the rate-limit key. */
export interface Identity extends TokenDetails {
  /** Kept current by `Authenticator.validate`. */
  user: User
  /** The version of the accounts when `user` was read. */
  accountsVersion: number
  readonly rateLimitKey: RateLimitKey
}

/** Whether an identity is valid; if not, the name of the close code for its connections. */
export type Validity = 'valid' | Extract<CloseCodeName, 'account-removed' | 'logged-out'>

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
  /**
   * Whether the account still exists and the token has not been revoked. Reads them only if an account or a
   * revocation has changed since the last call.
   */
  validate(identity: Identity): MaybePromise<Validity>
  /** Verifies a token outside a request. Returns undefined if the token or its account is invalid. */
  identify(token: string): Promise<Identity | undefined>
  /** A number that changes when any account or revocation may have changed. */
  accountsVersion(): number
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

/** The value of `Authorization` for a token, as most clients write it. */
export const authorizationOf = (token: string): string => `Bearer ${token}`

/** Whether a token has the form of one. Other tokens are neither verified nor cached. */
export const isWellFormedToken = (token: string): boolean => token.length <= maxLength && jws.test(token)
