import type { MaybePromise } from '../maybe-promise.ts'

/**
 * Slows down password guessing for one username, whether or not an account has it. An attempt counts as
 * failed until it succeeds, so parallel attempts gain nothing. The wait doubles with each failure up to a
 * documented maximum, and no account is ever locked permanently.
 */
export interface LoginGuard {
  /** Seconds until an attempt for `username` is allowed. 0 allows it and counts it as failed. */
  attempt(username: string): MaybePromise<number>
  /** Clears the failures of `username`. */
  succeed(username: string): MaybePromise<void>
}
