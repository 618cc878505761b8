import type { Count, RateLimiter } from '../limits/rate-limits.ts'
import type { TraceContext } from './trace-context.ts'

/** One request, and the values that its response will carry. */
export interface RequestContext {
  readonly request: Request
  /** The route, not the path: a path can contain anything a client sends, even a token. */
  readonly route: string | undefined
  readonly requestId: string
  /** Undefined if the client has sent no valid one. */
  readonly trace: TraceContext | undefined
  /** Seconds since the epoch, for the expiry of tokens. */
  readonly arrivedAt: number
  /** Monotonic milliseconds, for durations and rate limits. */
  readonly startedAt: number
  /** The address by which the client is counted, if the log contains it. */
  readonly client: string | undefined
  /** The id of the authenticated user. */
  userId: string | undefined
  /** The policy that counted the request, and its count; undefined until the request has been counted. */
  limiter: RateLimiter | undefined
  count: Count | undefined
}
