import type { RateLimitOverride } from '../config.ts'
import type { LimitStore } from './limit-store.ts'
import { createSharedRateLimits } from './rate-limits.shared.ts'
import type { RateLimits } from './rate-limits.ts'
import { createStoreHealth } from './store-health.ts'
import { createSharedUserSlots } from './user-slots.shared.ts'
import type { UserSlots } from './user-slots.ts'

export interface SharedLimitsOptions {
  readonly store: LimitStore
  /** The secret that all nodes share. */
  readonly secret: string
  readonly rateLimits: boolean
  readonly rateLimitOverrides: Readonly<Record<string, RateLimitOverride>>
  readonly maxSocketsPerUser: number
  readonly onError: (error: unknown) => void
  readonly onRecovered?: ((message: string) => void) | undefined
  /** Monotonic seconds with fractions. */
  readonly now: () => number
}

export interface SharedLimits {
  readonly rateLimits: RateLimits
  readonly userSlots: UserSlots
  close(): Promise<void>
}

/** The limit store does not respond. */
export class LimitsNotShared extends Error {
  constructor(store: string, cause: unknown) {
    super(`${store} does not respond: this node applies the limits on its own until it does`, { cause })
  }
}

/** Opens the limits that all nodes share. Resolves even if the store does not respond. */
export async function openSharedLimits(options: SharedLimitsOptions): Promise<SharedLimits> {
  const { store, secret, onError, onRecovered, now } = options
  const health = createStoreHealth({
    store,
    onLost: (error) => onError(new LimitsNotShared(store.name, error)),
    onRecovered: () => onRecovered?.(`${store.name} responds again: all nodes share the limits`),
  })
  const rateLimits = createSharedRateLimits({
    enabled: options.rateLimits,
    overrides: options.rateLimitOverrides,
    store,
    health,
    secret,
    now,
  })
  const userSlots = createSharedUserSlots({ limit: options.maxSocketsPerUser, store, health, secret })
  await health.start()
  return {
    rateLimits,
    userSlots,
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
