import type { RateLimitOverride } from '../config.ts'
import type { RateLimit } from '../contract/documents.ts'
import { createCounterTable, packKey, unpackKey } from './counter-table.ts'
import type { RateLimiter, RateLimitKey, RateLimits } from './rate-limits.ts'

interface RateLimitsOptions {
  readonly enabled: boolean
  readonly overrides: Readonly<Record<string, RateLimitOverride>>
}

// Each identity has a key. As a number, it is part of the identity, where an object would take 32 bytes.
const toRateLimitKey = (packed: number) => packed as unknown as RateLimitKey
const toNumber = (key: RateLimitKey) => key as unknown as number

/** Counts in fixed windows, each of which starts with the client's first request, in memory. */
export function createMemoryRateLimits({ enabled, overrides }: RateLimitsOptions): RateLimits {
  const table = createCounterTable()
  const limiters = new Map<string, RateLimiter>()

  function createLimiter(declared: RateLimit): RateLimiter {
    const limit = { ...declared, ...overrides[declared.policy] }
    const { quota, window } = limit
    const policyKey = table.key(declared.policy)
    // The same object for all requests, since the table does not keep it.
    const key = { a: 0, b: 0 }

    return {
      ...limit,
      count(client, now) {
        unpackKey(toNumber(client), key)
        key.a ^= policyKey.a
        key.b ^= policyKey.b
        // The table does not store zero as a time.
        const time = now + 1
        const slot = table.findOrAdd(key, time, time + window)
        const used = table.countAt(slot)
        const expiry = table.expiryAt(slot)
        if (used < quota) table.set(slot, used + 1, expiry)
        return {
          exceeded: used >= quota,
          remaining: Math.max(0, quota - used - 1),
          resetSeconds: expiry - time,
        }
      },
    }
  }

  return {
    key: (name) => toRateLimitKey(packKey(table.key(name))),
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
