import type { RateLimitOverride } from '../config.ts'
import type { RateLimit } from '../contract/documents.ts'
import { type CounterKey, createCounterTable } from './counter-table.ts'

export interface Count {
  readonly exceeded: boolean
  readonly remaining: number
  /** Seconds until the window ends. */
  readonly resetSeconds: number
}

/** Stands for a client, an address or a user's id, under every policy. */
export type CountedClient = CounterKey

/** One policy, as its operation declares it. */
export interface RateLimiter {
  readonly partition: RateLimit['partition']
  /** The value of `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers). */
  readonly policyHeader: string
  /**
   * Counts one request.
   *
   * @param now seconds since the epoch
   */
  count(client: CountedClient, now: number): Count
  /** The value of `RateLimit` for a count. */
  header(count: Count): string
}

/** Where requests are counted: in this process, or in a store that several share. */
export interface RateLimits {
  /** @param name an address, or a user's id */
  client(name: string): CountedClient
  /** The limiter of a policy, the same for all that name it; undefined where limits are off. */
  limiter(limit: RateLimit): RateLimiter | undefined
}

interface RateLimitsOptions {
  readonly enabled: boolean
  readonly overrides: Readonly<Record<string, RateLimitOverride>>
}

/** Fixed windows, each beginning with a client's first request, counted in memory. */
export function createRateLimits({ enabled, overrides }: RateLimitsOptions): RateLimits {
  const table = createCounterTable()
  const limiters = new Map<string, RateLimiter>()

  function createLimiter(declared: RateLimit): RateLimiter {
    const { policy, partition } = declared
    const { quota, window } = overrides[policy] ?? declared
    const head = `"${policy}";r=`
    const own = table.key(policy)

    return {
      partition,
      policyHeader: `"${policy}";q=${quota};w=${window}`,
      count(client, now) {
        const key = { a: client.a ^ own.a, b: client.b ^ own.b }
        const slot = table.findOrAdd(key, now, now + window)
        const used = table.countAt(slot)
        const expiry = table.expiryAt(slot)
        if (used < quota) table.set(slot, used + 1, expiry)
        return {
          exceeded: used >= quota,
          remaining: Math.max(0, quota - used - 1),
          resetSeconds: expiry - now,
        }
      },
      header: ({ remaining, resetSeconds }) => `${head}${remaining};t=${resetSeconds}`,
    }
  }

  return {
    client: table.key,
    limiter(declared) {
      if (!enabled) return undefined
      const known = limiters.get(declared.policy)
      if (known) return known
      const limiter = createLimiter(declared)
      limiters.set(declared.policy, limiter)
      return limiter
    },
  }
}
