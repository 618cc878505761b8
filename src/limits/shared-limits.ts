import type { RateLimitOverride } from '../config.ts'
import { createLimitKeys } from './limit-keys.ts'
import { type LimitStore, LimitsNotShared } from './limit-store.ts'
import { createSharedRateLimits } from './rate-limits.shared.ts'
import type { RateLimits } from './rate-limits.ts'
import { createStoreHealth } from './store-health.ts'
import { createSharedUserSlots } from './user-slots.shared.ts'
import type { UserSlots } from './user-slots.ts'

export interface SharedLimitsOptions {
  readonly store: LimitStore
  /** A secret of the nodes for this purpose. */
  readonly secret: Uint8Array
  readonly rateLimits: boolean
  readonly rateLimitOverrides: Readonly<Record<string, RateLimitOverride>>
  readonly maxSocketsPerUser: number
  readonly onError: (error: unknown) => void
  /** Called when the store responds again after LimitsNotShared was reported. */
  readonly onLimitsShared?: (() => void) | undefined
  /** Monotonic seconds with fractions. */
  readonly now: () => number
  readonly beatMs?: number
  readonly retryMs?: number
}

export interface SharedLimits {
  readonly rateLimits: RateLimits
  readonly userSlots: UserSlots
  /** Whether the limits are shared now; if not, each node counts on its own. */
  isShared(): boolean
  close(): Promise<void>
}

/** Opens the limits that all nodes share. Resolves even if the store does not respond. */
export async function openSharedLimits(options: SharedLimitsOptions): Promise<SharedLimits> {
  const { store, onError, onLimitsShared, now } = options
  const health = createStoreHealth({
    ...options,
    store,
    onLost: (error) => onError(new LimitsNotShared(store.name, error)),
    onRecovered: () => onLimitsShared?.(),
  })
  const hash = createLimitKeys(options.secret)
  const rateLimits = createSharedRateLimits({
    enabled: options.rateLimits,
    overrides: options.rateLimitOverrides,
    store,
    health,
    hash,
    now,
  })
  const userSlots = createSharedUserSlots({ limit: options.maxSocketsPerUser, store, health, hash })
  await health.start()
  return {
    rateLimits,
    userSlots,
    isShared: health.isAvailable,
    async close() {
      const wasAvailable = health.isAvailable()
      await rateLimits.close()
      await userSlots.close()
      health.close()
      // Otherwise the sockets of this node count until its lifetime has passed.
      if (wasAvailable) await store.leave().catch(() => {})
    },
  }
}
