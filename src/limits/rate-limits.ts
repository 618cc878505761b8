import type { RateLimit } from '../contract/documents.ts'
import type { MaybePromise } from '../maybe-promise.ts'

declare const opaque: unique symbol

/** A client, under every policy: an address or a user id. Each implementation has its own representation. */
export interface RateLimitKey {
  readonly [opaque]: true
}

export interface Count {
  readonly exceeded: boolean
  readonly remaining: number
  /** Seconds until the window ends. */
  readonly resetSeconds: number
}

/** One policy with the quota that applies to it. */
export interface RateLimiter extends RateLimit {
  /**
   * Counts one request. A promise is returned only if the implementation has to ask a shared store.
   *
   * @param now monotonic seconds, so that a change of the clock neither extends nor ends a window
   */
  count(key: RateLimitKey, now: number): MaybePromise<Count>
}

/** Counts requests by policy and client, in this process or in a store that several processes share. */
export interface RateLimits {
  /** @param name an address or a user id */
  key(name: string): RateLimitKey
  /** The limiter of a policy, one for all operations that name it; undefined if limits are disabled. */
  limiter(limit: RateLimit): RateLimiter | undefined
}

/** The value of `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers). */
export const policyHeader = ({ policy, quota, window }: RateLimit): string =>
  `"${policy}";q=${quota};w=${window}`

/** The value of `RateLimit` for one count. */
export const countHeader = ({ policy }: RateLimit, { remaining, resetSeconds }: Count): string =>
  `"${policy}";r=${remaining};t=${resetSeconds}`
