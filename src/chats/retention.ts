import type { MaybePromise } from '../maybe-promise.ts'
import type { LogClock } from './log-clock.ts'

interface RetentionLimits {
  readonly retentionDays: number
  readonly retentionCount: number
  readonly clock: Pick<LogClock, 'now' | 'confirmedDayAgo'>
}

export interface RetentionOptions extends RetentionLimits {
  readonly log: RetainedLog
}

export interface AsynchronousRetentionOptions extends RetentionLimits {
  readonly log: AsynchronousRetainedLog
}

export interface StoredTime {
  readonly sequence: number
  /** Milliseconds since the epoch. */
  readonly sentAt: number
}

/** What retention reads of the log. */
export interface RetainedLog {
  /** The sequence of the newest message, even if it has been removed. Nothing is removed after it. */
  head(): number
  /**
   * The sequence through which the oldest messages exceed the number of messages that may be stored. By default, the
   * sequences are counted; a log that shares its sequences with another one has to count its messages.
   */
  countEdge?(oldest: readonly StoredTime[]): number
  /** The oldest messages, in log order. */
  oldest(limit: number): StoredTime[]
  /** The newest message up to `sequence`. */
  newestThrough(sequence: number): StoredTime | undefined
}

/** The same for an engine in another process. */
export interface AsynchronousRetainedLog {
  head(): number
  /** As `RetainedLog.countEdge`. */
  countEdge(oldest: readonly StoredTime[]): Promise<number>
  oldest(limit: number): Promise<StoredTime[]>
  newestThrough(sequence: number): Promise<StoredTime | undefined>
}

const dayMs = 86_400_000

/** A search that asks for the newest message up to a sequence, and receives it. */
type Search<Result> = Generator<number, Result, StoredTime | undefined>

/**
 * Searches the messages between two sequences for the boundary at which `isBefore` changes, and returns its
 * two sides. Binary, because the times have no index. If the times do not ascend, it is one of several.
 */
function* findBoundary(
  [from, to]: readonly [number, number],
  isBefore: (message: StoredTime) => boolean,
): Search<{ before: StoredTime | undefined; after: StoredTime | undefined }> {
  let [low, high] = [from, to]
  let before: StoredTime | undefined
  let after: StoredTime | undefined
  while (low <= high) {
    const middle = Math.floor((low + high) / 2)
    const message = yield middle
    if (message === undefined) break
    if (isBefore(message)) {
      before = message
      low = middle + 1
    } else {
      after = message
      high = middle - 1
    }
  }
  return { before, after }
}

/**
 * Returns the sequence through which messages exceed the retention limits; undefined if none does.
 *
 * The age of a message is not measured against the clock, which may have jumped, but against the latest
 * time that the service already knew a day ago: that of a message which is now a day old, or that of a
 * clock which has not jumped for a day. A clock that is wrong for less than a day therefore removes nothing
 * (docs/decisions/clock-jumps.md).
 *
 * @param oldest the messages that may be removed
 */
function* searchRemovable(
  { retentionDays, clock }: RetentionLimits,
  oldest: readonly StoredTime[],
  { head, countEdge }: { readonly head: number; readonly countEdge: number },
): Search<number | undefined> {
  const [first] = oldest
  const last = oldest.at(-1)
  if (!first || !last) return undefined
  const now = clock.now()
  const retentionMs = retentionDays * dayMs
  const isFromFuture = ({ sentAt }: StoredTime) => sentAt > now
  const exceedsCount = ({ sequence }: StoredTime) => sequence <= countEdge
  // If the oldest message is within the limits, the others are not examined.
  if (!exceedsCount(first) && !isFromFuture(first) && first.sentAt >= now - retentionMs) return undefined

  const dayOld = (yield* findBoundary([first.sequence, head], ({ sentAt }) => sentAt <= now - dayMs)).before
  const known = Math.max(clock.confirmedDayAgo() ?? 0, dayOld?.sentAt ?? 0)
  const exceeds = (row: StoredTime) => exceedsCount(row) || row.sentAt < known - retentionMs
  // A message from the future was sent when the clock was wrong. It is removed with the next message.
  const afterFuture = isFromFuture(last)
    ? (yield* findBoundary([last.sequence, head], isFromFuture)).after
    : undefined
  const rows = afterFuture ? [...oldest, afterFuture] : oldest
  const firstKept = rows.findIndex((row) => !exceeds(row) && !isFromFuture(row))
  const removable = firstKept === -1 ? rows : rows.slice(0, firstKept)
  const through = removable.findLast(exceeds)
  return through && Math.min(through.sequence, last.sequence, head)
}

/** Returns the sequence through which at most `limit` messages exceed the retention limits, if any does. */
export function findRemovable(options: RetentionOptions, limit: number): number | undefined {
  const { log, retentionCount } = options
  const [oldest, head] = [log.oldest(limit), log.head()]
  const countEdge = log.countEdge?.(oldest) ?? head - retentionCount
  const search = searchRemovable(options, oldest, { head, countEdge })
  let step = search.next()
  while (!step.done) step = search.next(log.newestThrough(step.value))
  return step.value
}

/** `findRemovable` for an engine that answers with promises. */
export async function findRemovableAsynchronously(
  options: AsynchronousRetentionOptions,
  limit: number,
): Promise<number | undefined> {
  const { log } = options
  const [oldest, head] = [await log.oldest(limit), log.head()]
  const search = searchRemovable(options, oldest, { head, countEdge: await log.countEdge(oldest) })
  let step = search.next()
  while (!step.done) step = search.next(await log.newestThrough(step.value))
  return step.value
}

interface TrimmingOptions {
  /** Called with errors of background work; no request is waiting for it. */
  readonly onError: (error: unknown) => void
  /**
   * Removes at most `limit` messages that exceed the retention limits, oldest first.
   *
   * @returns whether there may be more to remove
   */
  readonly trim: (limit: number) => MaybePromise<boolean>
}

const pauseMs = 10_000

/** The first step follows the start, which it would delay. */
const afterStartMs = 500

/** Small enough not to delay sends. While there is more to remove, steps follow each other quickly. */
const messagesPerStep = 500
const betweenStepsMs = 20

/** Trims the log in the background until it is stopped. */
export function scheduleTrimming({ onError, trim }: TrimmingOptions) {
  let timer: Timer | undefined
  let stopped = false

  function schedule(more: boolean): void {
    if (!stopped) timer = setTimeout(step, more ? betweenStepsMs : pauseMs)
  }

  function fail(error: unknown): void {
    if (!stopped) onError(error)
    schedule(false)
  }

  function step(): void {
    let more: MaybePromise<boolean>
    try {
      more = trim(messagesPerStep)
    } catch (error) {
      fail(error)
      return
    }
    if (more instanceof Promise) more.then(schedule, fail)
    else schedule(more)
  }

  timer = setTimeout(step, afterStartMs)
  return {
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}
