import type { LimitStore, NodeState } from './limit-store.ts'

interface StoreHealthOptions {
  readonly store: LimitStore
  /** Called with the first error of an outage. */
  readonly onLost: (error: unknown) => void
  /** Called when the store responds again after `onLost`. */
  readonly onRecovered: () => void
  readonly beatMs?: number
  readonly retryMs?: number
}

interface Subscriber {
  /** The store responds again. */
  readonly onAvailable: () => void
  /** The store had lost the data of this node. */
  readonly onForgotten: () => void
}

/** Whether the limit store responds, and how many nodes use it. */
export interface StoreHealth {
  /** If false, this node counts on its own. */
  isAvailable(): boolean
  /** The number of running nodes. */
  nodes(): number
  /** Runs a call of the store. Returns undefined if it fails. */
  call<Result extends NodeState>(work: () => Promise<Result>): Promise<Result | undefined>
  subscribe(subscriber: Subscriber): void
  /** Makes the first contact. Resolves in any case. */
  start(): Promise<void>
  close(): void
}

/** Must be well below the lifetime of a node in the store. */
const defaultBeatMs = 3000
const defaultRetryMs = 500

/**
 * Notices whether the store responds. During an outage no request waits for it: only a beat is sent now and then, and
 * the calls continue once one succeeds.
 */
export function createStoreHealth(options: StoreHealthOptions): StoreHealth {
  const { store, onLost, onRecovered, beatMs = defaultBeatMs, retryMs = defaultRetryMs } = options
  const subscribers: Subscriber[] = []
  let available = false
  let reported = false
  let nodes = 1
  let closed = false
  let timer: Timer | undefined

  function succeeded(state: NodeState): void {
    nodes = Math.max(1, state.nodes)
    const wasAvailable = available
    available = true
    if (reported) onRecovered()
    reported = false
    if (!state.known) for (const each of subscribers) each.onForgotten()
    if (!wasAvailable) for (const each of subscribers) each.onAvailable()
  }

  function failed(error: unknown): void {
    if (!reported) onLost(error)
    reported = true
    if (!available) return
    available = false
    schedule()
  }

  function schedule(): void {
    clearTimeout(timer)
    if (!closed) timer = setTimeout(beat, available ? beatMs : retryMs)
  }

  async function call<Result extends NodeState>(work: () => Promise<Result>): Promise<Result | undefined> {
    try {
      const result = await work()
      if (!closed) succeeded(result)
      return result
    } catch (error) {
      if (!closed) failed(error)
      return undefined
    }
  }

  async function beat(): Promise<void> {
    await call(store.beat)
    schedule()
  }

  return {
    isAvailable: () => available,
    nodes: () => nodes,
    call,
    subscribe: (subscriber) => void subscribers.push(subscriber),
    start: beat,
    close() {
      closed = true
      available = false
      clearTimeout(timer)
    },
  }
}
