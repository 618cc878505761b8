import type { MessageRange, Sequencer } from './sequencer.ts'

interface GapHealerOptions {
  readonly sequencer: Pick<Sequencer, 'applied' | 'offer' | 'heard' | 'hasGap' | 'confirmHead'>
  /**
   * Reads one page of the log after a sequence. The page ends at the head of the log unless `full`.
   */
  readonly read: (after: number) => Promise<MessageRange & { readonly full: boolean }>
  /** Called with the first error of an outage; reading is repeated. */
  readonly onError: (error: unknown) => void
  /** How long a gap may exist before it is read: most close by themselves, when the message
   * arrives on its way. */
  readonly patienceMs?: number
  readonly retryMs?: number
}

export interface GapHealer {
  /** Reads what is missing, unless the gap closes within a few milliseconds. */
  soon(): void
  /** Reads what is missing now. Resolves when everything that was stored before the call has been delivered. */
  now(): Promise<void>
  /** How many reads have found messages that had not arrived. */
  healings(): number
  stop(): void
}

/** Reads the messages that this node has not received: one page at a time, so that reads cannot pile up. */
export function createGapHealer(options: GapHealerOptions): GapHealer {
  const { sequencer, read, onError, patienceMs = 15, retryMs = 100 } = options
  let running: Promise<void> | undefined
  /** The run after the current one. It covers what was stored during the current one. */
  let next: Promise<void> | undefined
  let timer: Timer | undefined
  let failing = false
  let stopped = false
  let healings = 0

  async function run(): Promise<void> {
    for (;;) {
      const page = await read(sequencer.applied())
      if (stopped) return
      if (page.through > sequencer.applied()) healings++
      sequencer.offer(page)
      if (page.full) continue
      sequencer.confirmHead(page.through)
      return
    }
  }

  function start(): Promise<void> {
    running = run().finally(() => {
      running = undefined
    })
    return running
  }

  function now(): Promise<void> {
    if (!running) return start()
    next ??= running
      .catch(() => {})
      .then(() => {
        next = undefined
        return start()
      })
    return next
  }

  /** @param target the highest known sequence at the time of the call */
  async function heal(target: number): Promise<void> {
    if (stopped || !sequencer.hasGap()) return
    // That gap has closed by itself. A newer one is granted the same patience.
    if (sequencer.applied() >= target) {
      schedule(patienceMs)
      return
    }
    try {
      await now()
      failing = false
      if (sequencer.hasGap()) schedule(patienceMs)
    } catch (error) {
      if (!failing && !stopped) onError(error)
      failing = true
      schedule(retryMs)
    }
  }

  function schedule(ms: number): void {
    if (timer !== undefined || stopped) return
    const target = sequencer.heard()
    timer = setTimeout(() => {
      timer = undefined
      void heal(target)
    }, ms)
  }

  return {
    soon: () => schedule(patienceMs),
    now,
    healings: () => healings,
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}
