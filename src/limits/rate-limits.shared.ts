import type { RateLimitOverride } from '../config.ts'
import type { RateLimit } from '../contract/documents.ts'
import { type Counter, createCountBatches, type Decide } from './count-batches.ts'
import { type CounterKey, createCounterTable, packKey } from './counter-table.ts'
import type { LimitKeys } from './limit-keys.ts'
import type { LimitStore } from './limit-store.ts'
import type { Count, RateLimiter, RateLimitKey, RateLimits } from './rate-limits.ts'
import type { StoreHealth } from './store-health.ts'

interface SharedRateLimitsOptions {
  readonly enabled: boolean
  readonly overrides: Readonly<Record<string, RateLimitOverride>>
  readonly store: LimitStore
  readonly health: StoreHealth
  readonly hash: LimitKeys
  /** Monotonic seconds with fractions; `now` of `RateLimiter.count` without the fraction. */
  readonly now: () => number
}

export interface SharedRateLimits extends RateLimits {
  /** Sends the last counts. */
  close(): Promise<void>
}

interface SharedKey extends CounterKey {
  readonly name: string
  /** By policy. Computed when the store is asked for the first time. */
  readonly storeKeys: Map<string, string>
}

const toRateLimitKey = (key: SharedKey) => key as unknown as RateLimitKey
const toSharedKey = (key: RateLimitKey) => key as unknown as SharedKey

/** Two nodes, even if this one knows of no other: another one may just have started. */
const minNodes = 2

/** Requests of more clients than this are counted, but not reported, until the store has confirmed others. */
const maxCounters = 100_000

/**
 * How many requests a node may admit before the store knows of them: all nodes together a tenth of what is left. None
 * are admitted that way if the quota is small, so such a quota is exact.
 *
 * @param left the quota without the requests that the store knows
 */
export const unconfirmedShare = (left: number, nodes: number): number =>
  Math.floor(left / (10 * Math.max(minNodes, nodes)))

/**
 * Counts in fixed windows that all nodes share. Each node decides by the last totals of the store and its own requests
 * since then; a request waits for the store only once this node has admitted its share of unconfirmed requests.
 */
export function createSharedRateLimits(options: SharedRateLimitsOptions): SharedRateLimits {
  const { enabled, overrides, store, health, hash, now } = options
  const table = createCounterTable()
  const counters = new Map<number, Counter>()
  const limiters = new Map<string, RateLimiter>()
  // The table does not store zero as a time.
  const tableTime = () => Math.floor(now()) + 1

  function remaining({ tableKey, window }: Counter): number | undefined {
    const slot = table.find(tableKey, tableTime())
    return slot === undefined ? undefined : Math.min(window, table.expiryAt(slot) - 1 - now())
  }

  const batches = createCountBatches({
    store,
    health,
    remaining,
    onTotal({ tableKey, window, unsent }, { total, seconds }) {
      // Rounded up: a client that waits for as long as it was told must not be refused again.
      const expiresAt = Math.ceil(now() + Math.min(seconds, window)) + 1
      const slot = table.findOrAdd(tableKey, tableTime(), expiresAt)
      table.set(slot, total + unsent, expiresAt)
    },
    decideAlone(counter, decide, counted) {
      const time = tableTime()
      const slot = table.findOrAdd(counter.tableKey, time, time + counter.window)
      const used = table.countAt(slot)
      decide(used, table.expiryAt(slot) - time)
      table.set(slot, used + 1, table.expiryAt(slot))
      if (counted) counter.sent++
      else counter.unsent++
    },
    onConfirmed: ({ id }) => void counters.delete(id),
  })

  function counterOf(
    id: number,
    policy: string,
    window: number,
    client: SharedKey,
    key: CounterKey,
  ): Counter {
    let storeKey = client.storeKeys.get(policy)
    if (storeKey === undefined) {
      storeKey = hash(policy, client.name)
      client.storeKeys.set(policy, storeKey)
    }
    const tableKey = { a: key.a, b: key.b }
    const counter = { id, tableKey, storeKey, window, unsent: 0, sent: 0, waiting: [], sentWaiting: [] }
    counters.set(id, counter)
    return counter
  }

  /** Waits for the total of all nodes, which includes this request. */
  function ask(counter: Counter, quota: number, window: number): Promise<Count> {
    const { promise, resolve } = Promise.withResolvers<Count>()
    const decide: Decide = (position, seconds) =>
      resolve({
        exceeded: position >= quota,
        remaining: Math.max(0, quota - position - 1),
        resetSeconds: Math.min(window, Math.ceil(seconds)),
      })
    if (counter.waiting.push(decide) === 1) batches.addUrgent(counter)
    return promise
  }

  function createLimiter(declared: RateLimit): RateLimiter {
    const limit = { ...declared, ...overrides[declared.policy] }
    const { policy, quota, window } = limit
    const policyKey = table.key(policy)

    return {
      ...limit,
      count(rateLimitKey, seconds) {
        const client = toSharedKey(rateLimitKey)
        const key = { a: client.a ^ policyKey.a, b: client.b ^ policyKey.b }
        const time = seconds + 1
        const slot = table.findOrAdd(key, time, time + window)
        const used = table.countAt(slot)
        const expiry = table.expiryAt(slot)
        // The window of a total is rounded up, and so can seem to be longer.
        const resetSeconds = Math.min(window, expiry - time)
        if (used >= quota) return { exceeded: true, remaining: 0, resetSeconds }
        const id = packKey(key)
        let counter = counters.get(id)
        // A new window has begun: the unsent requests were made in the previous one.
        if (counter && used === 0) counter.unsent = 0
        if (health.isAvailable()) {
          const unconfirmed = counter ? counter.unsent + counter.sent : 0
          if (unconfirmed >= unconfirmedShare(quota - (used - unconfirmed), health.nodes())) {
            counter ??= counterOf(id, policy, window, client, key)
            const waiting = counter.waiting.length + counter.sentWaiting.length
            if (used + waiting >= quota) return { exceeded: true, remaining: 0, resetSeconds }
            return ask(counter, quota, window)
          }
        }
        table.set(slot, used + 1, expiry)
        if (!counter && counters.size < maxCounters) counter = counterOf(id, policy, window, client, key)
        if (counter && counter.unsent++ === 0) batches.add(counter)
        return { exceeded: false, remaining: quota - used - 1, resetSeconds }
      },
    }
  }

  return {
    key: (name) => toRateLimitKey({ ...table.key(name), name, storeKeys: new Map() }),
    limiter(declared) {
      if (!enabled) return undefined
      const known = limiters.get(declared.policy)
      if (known) return known
      const limiter = createLimiter(declared)
      limiters.set(declared.policy, limiter)
      return limiter
    },
    close: batches.close,
  }
}
