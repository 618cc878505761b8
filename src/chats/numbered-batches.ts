import { OutcomeUnknown, StorageUnavailable } from '../storage/errors.ts'

/** What a failed attempt means for the batch. */
export type AttemptFailure =
  /** It was not stored by this attempt, and another attempt makes sense. */
  | 'not-stored'
  /** It may have been stored, or may still be stored later. */
  | 'unknown'
  /** It was given up before. */
  | 'given-up'
  /** It was not stored, and another attempt would fail as well. */
  | 'fault'

interface NumberedBatchesOptions<Batch, Result> {
  /** Stores a batch, or returns the recorded result if this number has been stored before. */
  readonly store: (number: number, batch: Batch) => Promise<Result>
  /** Gives up a number: it will never be stored. Returns false if it has been stored. */
  readonly giveUp: (number: number) => Promise<boolean>
  readonly classify: (error: unknown) => AttemptFailure
  /** Half of this time, a batch is attempted; in the other half, it is given up. */
  readonly timeoutMs: number
  /** Monotonic milliseconds. */
  readonly now?: () => number
  readonly sleep?: (ms: number) => Promise<void>
}

export interface NumberedBatches<Batch, Result> {
  /**
   * Stores a batch exactly once, although responses may be lost. Call it for one batch at a time.
   *
   * @param since when its first message arrived, in monotonic milliseconds
   * @throws StorageUnavailable if the batch was not stored and never will be
   * @throws OutcomeUnknown if this could not be determined in time
   */
  store(batch: Batch, since: number): Promise<Result>
}

const firstPauseMs = 20
const maxPauseMs = 250

/**
 * Gives each batch a number, under which the database records what became of it. If a response is lost, the
 * same number is asked for again. If that fails for too long, the number is given up, so that an attempt that
 * arrives late is refused; only if that fails, too, the outcome stays unknown, and the number is given up
 * before the next batch.
 */
export function createNumberedBatches<Batch, Result>(
  options: NumberedBatchesOptions<Batch, Result>,
): NumberedBatches<Batch, Result> {
  const { classify, timeoutMs, now = () => performance.now(), sleep = Bun.sleep } = options
  let lastNumber = 0
  /** A batch whose sender has been told that the outcome is unknown. */
  let undecided: number | undefined

  /** Repeats `work` until it succeeds, `onFailure` throws, or the deadline has passed. */
  async function repeat<Value>(
    deadline: number,
    work: () => Promise<Value>,
    onFailure: (kind: AttemptFailure, error: unknown) => void,
  ): Promise<Value | undefined> {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, maxPauseMs)) {
      try {
        return await work()
      } catch (error) {
        onFailure(classify(error), error)
        const left = deadline - now()
        if (left <= 0) return undefined
        await sleep(Math.min(pauseMs, left))
      }
    }
  }

  /** Gives up the previous batch, if its outcome is unknown: it must not be stored after this one. */
  async function settlePrevious(deadline: number): Promise<void> {
    const number = undecided
    if (number === undefined) return
    let cause: unknown
    const settled = await repeat(
      deadline,
      () => options.giveUp(number),
      (_, error) => {
        cause = error
      },
    )
    if (settled === undefined) throw new StorageUnavailable(cause)
    undecided = undefined
  }

  async function attempt(number: number, batch: Batch, since: number): Promise<Result> {
    let cause: unknown
    let mayBeStored = false
    const unresolved = () => {
      undecided = number
      return new OutcomeUnknown(cause)
    }
    const result = await repeat(
      since + timeoutMs / 2,
      () => options.store(number, batch),
      (kind, error) => {
        if (kind === 'given-up') throw new StorageUnavailable(error)
        cause = error
        if (kind === 'fault') throw mayBeStored ? unresolved() : error
        mayBeStored ||= kind === 'unknown'
      },
    )
    if (result !== undefined) return result
    // Without an attempt whose outcome is unknown, nothing can be stored any more.
    if (!mayBeStored) throw new StorageUnavailable(cause)
    const givenUp = await repeat(
      since + timeoutMs,
      () => options.giveUp(number),
      () => {},
    )
    if (givenUp === true) throw new StorageUnavailable(cause)
    if (givenUp === undefined) throw unresolved()
    try {
      return await options.store(number, batch)
    } catch (error) {
      // It is stored, but not known where.
      throw new OutcomeUnknown(error)
    }
  }

  return {
    async store(batch, since) {
      if (since + timeoutMs <= now()) throw new StorageUnavailable(new Error('The message waited too long'))
      await settlePrevious(since + timeoutMs)
      lastNumber++
      return attempt(lastNumber, batch, since)
    },
  }
}
