import type { LimitKeys } from './limit-keys.ts'
import type { LimitStore, SocketClaim } from './limit-store.ts'
import type { StoreHealth } from './store-health.ts'
import type { UserSlots } from './user-slots.ts'

interface SharedUserSlotsOptions {
  /** The limit of one user on all nodes. */
  readonly limit: number
  readonly store: LimitStore
  readonly health: StoreHealth
  readonly hash: LimitKeys
}

interface SharedUserSlots extends UserSlots {
  close(): Promise<void>
}

/** A user with WebSockets on this node. */
interface Holder {
  readonly userId: string
  readonly key: string
  held: number
  /** Handshakes that wait for the next call. */
  waiting: ((granted: boolean) => void)[]
  /** Handshakes that wait for the response of the current call. */
  sentWaiting: ((granted: boolean) => void)[]
}

const maxClaims = 500

/**
 * Counts the WebSockets of all nodes. A handshake waits for one call of the store, which many handshakes share; without
 * the store it is decided by this node alone. Calls contain numbers of WebSockets and not changes of them, so that a
 * lost response or a loss of data is repaired by another call.
 */
export function createSharedUserSlots(options: SharedUserSlotsOptions): SharedUserSlots {
  const { limit, store, health, hash } = options
  const holders = new Map<string, Holder>()
  /** Those whose number the store does not know. */
  const changed = new Set<Holder>()
  let sending: Promise<void> | undefined
  let scheduled: NodeJS.Immediate | undefined

  function holderOf(userId: string): Holder {
    let holder = holders.get(userId)
    if (!holder) {
      holder = { userId, key: hash('sockets', userId), held: 0, waiting: [], sentWaiting: [] }
      holders.set(userId, holder)
    }
    return holder
  }

  function decideAlone(holder: Holder): void {
    const decided = [...holder.sentWaiting, ...holder.waiting]
    holder.sentWaiting = []
    holder.waiting = []
    for (const decide of decided) {
      const granted = holder.held < limit
      if (granted) holder.held++
      decide(granted)
    }
  }

  function forgetIfUnused(holder: Holder): void {
    const waits = holder.waiting.length + holder.sentWaiting.length > 0
    if (holder.held === 0 && !waits && !changed.has(holder)) holders.delete(holder.userId)
  }

  function take(): Holder[] {
    const taken: Holder[] = []
    for (const holder of changed) {
      if (taken.length === maxClaims) break
      changed.delete(holder)
      holder.sentWaiting = holder.waiting
      holder.waiting = []
      taken.push(holder)
    }
    return taken
  }

  function settle(holder: Holder, claim: SocketClaim, granted: number): void {
    const decided = holder.sentWaiting
    holder.sentWaiting = []
    for (const [index, decide] of decided.entries()) {
      const isGranted = index < granted - claim.held
      if (isGranted) holder.held++
      decide(isGranted)
    }
    forgetIfUnused(holder)
  }

  async function send(): Promise<void> {
    const taken = take()
    const claims = taken.map(({ key, held, sentWaiting }) => ({
      key,
      held,
      wanted: held + sentWaiting.length,
    }))
    const response = await health.call(() => store.hold(claims, limit))
    if (response) {
      for (const [index, holder] of taken.entries()) {
        settle(holder, claims[index] as SocketClaim, response.granted[index] as number)
      }
      return
    }
    for (const holder of taken) changed.add(holder)
    for (const holder of changed) decideAlone(holder)
  }

  async function flush(): Promise<void> {
    scheduled = undefined
    if (sending || changed.size === 0 || !health.isAvailable()) return
    sending = send()
    await sending
    sending = undefined
    schedule()
  }

  function schedule(): void {
    if (!sending && changed.size > 0 && health.isAvailable()) scheduled ??= setImmediate(flush)
  }

  function change(holder: Holder): void {
    changed.add(holder)
    schedule()
  }

  health.subscribe({
    onAvailable: schedule,
    onForgotten() {
      for (const holder of holders.values()) changed.add(holder)
      schedule()
    },
  })
  return {
    acquire(userId) {
      const holder = holderOf(userId)
      if (holder.held + holder.waiting.length + holder.sentWaiting.length >= limit) return false
      if (!health.isAvailable()) {
        holder.held++
        change(holder)
        return true
      }
      const { promise, resolve } = Promise.withResolvers<boolean>()
      holder.waiting.push(resolve)
      change(holder)
      return promise
    },
    release(userId) {
      const holder = holderOf(userId)
      holder.held = Math.max(0, holder.held - 1)
      change(holder)
    },
    async close() {
      if (scheduled) clearImmediate(scheduled)
      await sending
      for (const holder of holders.values()) decideAlone(holder)
    },
  }
}
