export interface Clock {
  /** Milliseconds since the epoch; may jump. */
  epochMs(): number
  /** Milliseconds; never jumps. */
  monotonicMs(): number
}

export const systemClock: Clock = {
  epochMs: () => Date.now(),
  monotonicMs: () => performance.now(),
}

/** Whole seconds since the epoch, the unit of token claims. May jump, so it must not measure durations. */
export const epochSeconds = () => Math.floor(systemClock.epochMs() / 1000)

/** Whole seconds that never jump, for rate limits, waits and timeouts. */
export const monotonicSeconds = () => Math.floor(systemClock.monotonicMs() / 1000)

/** Formats seconds since the epoch as RFC 3339 with milliseconds, in UTC. */
export const rfc3339 = (seconds: number): string => new Date(seconds * 1000).toISOString()
