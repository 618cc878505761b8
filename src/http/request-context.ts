/** One request, and the values that its response will carry. */
export interface RequestContext {
  readonly request: Request
  /** The route, not the path: a path can contain anything a client sends, even a token. */
  readonly route: string | undefined
  readonly requestId: string
  /** Seconds since the epoch. */
  readonly arrivedAt: number
  /** Milliseconds of the monotonic clock. */
  readonly startedAt: number
  /** The values of `RateLimit-Policy` and `RateLimit`; undefined until the request has been counted. */
  rateLimitPolicy: string | undefined
  rateLimit: string | undefined
}
