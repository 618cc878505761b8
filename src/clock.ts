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

/** Whole seconds since the epoch: the unit of token claims and rate-limit windows. */
export const nowSeconds = () => Math.floor(Date.now() / 1000)
