import type { CounterKey } from './counter-table.ts'
import type { CountTotal, LimitStore } from './limit-store.ts'
import type { StoreHealth } from './store-health.ts'

/** Called with the position of a request among all requests of its window: 0 for the first one. */
export type Decide = (position: number, seconds: number) => void

/** A client under one policy, as long as the store does not know all of its requests. */
export interface Counter {
  readonly id: number
  readonly tableKey: CounterKey
  readonly storeKey: string
  /** Seconds. */
  readonly window: number
  /** Admitted requests that are not in a batch yet. */
  unsent: number
  /** Admitted requests in the current batch. */
  sent: number
  /** Requests that wait for the next batch. */
  waiting: Decide[]
  /** Requests that wait for the response of the current batch. */
  sentWaiting: Decide[]
}

interface CountBatchesOptions {
  readonly store: LimitStore
  readonly health: StoreHealth
  /** The seconds until the window of a counter ends; undefined if it has ended. */
  readonly remaining: (counter: Counter) => number | undefined
  /** Called with the totals of the store, before the requests that wait for them are decided. */
  readonly onTotal: (counter: Counter, total: CountTotal) => void
  /** Decides a request that cannot wait for the store. @param counted whether the batch contains it */
  readonly decideAlone: (counter: Counter, decide: Decide, counted: boolean) => void
  /** Called when the store knows all requests of a counter. */
  readonly onConfirmed: (counter: Counter) => void
}

export interface CountBatches {
  /** Sends the counts of this counter before long. */
  add(counter: Counter): void
  /** Sends the counts of this counter as soon as possible, because a request waits for the response. */
  addUrgent(counter: Counter): void
  /** Sends what has not been sent, if the store responds. */
  close(): Promise<void>
}

/** A batch keeps its number and its counts until the store has confirmed it. */
interface Batch {
  readonly number: number
  readonly items: readonly { readonly counter: Counter; readonly count: number }[]
}

const maxBatchSize = 1000

/**
 * Sends counts to the store, one batch at a time. If the response of a batch is lost, the batch is sent again with its
 * number, and the store does not add it twice.
 */
export function createCountBatches(options: CountBatchesOptions): CountBatches {
  const { store, health, remaining, onTotal, decideAlone, onConfirmed } = options
  const touched = new Set<Counter>()
  const urgent = new Set<Counter>()
  let lastNumber = 0
  /** The batch that is being sent, or has to be sent again. */
  let current: Batch | undefined
  let sending: Promise<void> | undefined
  let due = false
  let timer: Timer | undefined
  let immediate: NodeJS.Immediate | undefined

  function take(counters: Set<Counter>, items: { counter: Counter; count: number }[]): void {
    for (const counter of counters) {
      if (items.length >= maxBatchSize) return
      counters.delete(counter)
      touched.delete(counter)
      // Requests of a window that has ended no longer matter.
      if (remaining(counter) === undefined) counter.unsent = 0
      const count = counter.unsent + counter.waiting.length
      if (count === 0) {
        onConfirmed(counter)
        continue
      }
      counter.sent = counter.unsent
      counter.unsent = 0
      counter.sentWaiting = counter.waiting
      counter.waiting = []
      items.push({ counter, count })
    }
  }

  function collect(): Batch | undefined {
    const items: { counter: Counter; count: number }[] = []
    take(urgent, items)
    if (due) {
      take(touched, items)
      due = touched.size > 0
    }
    if (items.length === 0) return undefined
    items.sort((x, y) => (x.counter.storeKey < y.counter.storeKey ? -1 : 1))
    return { number: ++lastNumber, items }
  }

  function settle(counter: Counter, total: CountTotal): void {
    const decided = counter.sentWaiting
    counter.sentWaiting = []
    counter.sent = 0
    onTotal(counter, total)
    const first = total.total - decided.length
    for (const [index, decide] of decided.entries()) decide(first + index, total.seconds)
    if (counter.unsent === 0 && counter.waiting.length === 0) onConfirmed(counter)
  }

  /** Decides all requests that wait. Those in the batch are reported with it later. */
  function stopWaiting(): void {
    for (const { counter } of current?.items ?? []) {
      const decided = counter.sentWaiting
      counter.sentWaiting = []
      for (const decide of decided) decideAlone(counter, decide, true)
    }
    for (const counter of urgent) {
      const decided = counter.waiting
      counter.waiting = []
      for (const decide of decided) decideAlone(counter, decide, false)
      touched.add(counter)
    }
    urgent.clear()
  }

  /** Leaves out counts whose window has ended since the batch was sent for the first time. */
  function renew({ number, items }: Batch): Batch | undefined {
    const lasting = items.filter(({ counter }) => {
      if (remaining(counter) !== undefined) return true
      counter.sent = 0
      if (counter.unsent === 0 && counter.waiting.length === 0) onConfirmed(counter)
      return false
    })
    return lasting.length > 0 ? { number, items: lasting } : undefined
  }

  async function send(batch: Batch): Promise<void> {
    const deltas = batch.items.map(({ counter, count }) => ({
      key: counter.storeKey,
      count,
      seconds: remaining(counter) ?? counter.window,
    }))
    const response = await health.call(() => store.count(batch.number, deltas))
    if (!response) return stopWaiting()
    current = undefined
    for (const [index, { counter }] of batch.items.entries())
      settle(counter, response.totals[index] as CountTotal)
  }

  async function flush(): Promise<void> {
    if (sending || !health.isAvailable()) return
    current = (current && renew(current)) ?? collect()
    if (!current) return
    sending = send(current)
    await sending
    sending = undefined
    schedule()
  }

  function schedule(): void {
    if (sending || !health.isAvailable()) return
    if (current || due || urgent.size > 0) immediate ??= setImmediate(flushSoon)
    else if (touched.size > 0) timer ??= setTimeout(flushLater, store.batchIntervalMs)
  }

  function flushSoon(): void {
    immediate = undefined
    void flush()
  }

  function flushLater(): void {
    timer = undefined
    due = true
    void flush()
  }

  health.subscribe({ onAvailable: schedule, onForgotten() {} })
  return {
    add(counter) {
      touched.add(counter)
      if (timer === undefined) schedule()
    },
    addUrgent(counter) {
      urgent.add(counter)
      schedule()
    },
    async close() {
      clearTimeout(timer)
      await sending
      due = true
      await flush()
      if (immediate) clearImmediate(immediate)
      clearTimeout(timer)
      stopWaiting()
    },
  }
}
