import type { Count, RateLimits } from './rate-limits.ts'

/**
 * Counts what rate limits refuse, whatever implements them.
 *
 * @param counter creates the function that is called for each refusal by a policy
 */
export const measureRateLimits = (
  rateLimits: RateLimits,
  counter: (policy: string) => () => void,
): RateLimits => ({
  ...rateLimits,
  limiter(declared) {
    const limiter = rateLimits.limiter(declared)
    if (!limiter) return undefined
    const refused = counter(limiter.policy)
    function inspect(count: Count): Count {
      if (count.exceeded) refused()
      return count
    }
    return {
      ...limiter,
      count(key, now) {
        const count = limiter.count(key, now)
        return count instanceof Promise ? count.then(inspect) : inspect(count)
      },
    }
  },
})
