import type { LogClock } from './log-clock.ts'

export interface RetentionOptions {
  readonly retentionDays: number
  readonly retentionCount: number
  readonly clock: Pick<LogClock, 'now' | 'confirmedDayAgo'>
  readonly log: RetainedLog
}

export interface StoredTime {
  readonly sequence: number
  /** Milliseconds since the epoch. */
  readonly sentAt: number
}

/** What retention reads of the log. */
export interface RetainedLog {
  /** The sequence of the newest message, even if it has been removed. */
  head(): number
  /** The oldest messages, in log order. */
  oldest(limit: number): StoredTime[]
  /** The newest message up to `sequence`. */
  newestThrough(sequence: number): StoredTime | undefined
}

const dayMs = 86_400_000

/**
 * Searches the messages between two sequences for the boundary at which `isBefore` changes, and returns its
 * two sides. Binary, because the times have no index. If the times do not ascend, it is one of several.
 */
function findBoundary(
  log: RetainedLog,
  [from, to]: readonly [number, number],
  isBefore: (message: StoredTime) => boolean,
): { before: StoredTime | undefined; after: StoredTime | undefined } {
  let [low, high] = [from, to]
  let before: StoredTime | undefined
  let after: StoredTime | undefined
  while (low <= high) {
    const middle = Math.floor((low + high) / 2)
    const message = log.newestThrough(middle)
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
 * Returns the sequence through which messages exceed the retention limits, at most `limit` of them;
 * undefined if none does.
 *
 * The age of a message is not measured against the clock, which may have jumped, but against the latest
 * time that the service already knew a day ago: that of a message which is now a day old, or that of a
 * clock which has not jumped for a day. A clock that is wrong for less than a day therefore removes nothing
 * (docs/decisions/clock-jumps.md).
 */
export function findRemovable(
  { retentionDays, retentionCount, clock, log }: RetentionOptions,
  limit: number,
): number | undefined {
  const oldest = log.oldest(limit)
  const [first] = oldest
  const last = oldest.at(-1)
  if (!first || !last) return undefined
  const now = clock.now()
  const head = log.head()
  const retentionMs = retentionDays * dayMs
  const isFromFuture = ({ sentAt }: StoredTime) => sentAt > now
  const exceedsCount = ({ sequence }: StoredTime) => sequence <= head - retentionCount
  // If the oldest message is within the limits, the others are not examined.
  if (!exceedsCount(first) && !isFromFuture(first) && first.sentAt >= now - retentionMs) return undefined

  const dayOld = findBoundary(log, [first.sequence, head], ({ sentAt }) => sentAt <= now - dayMs).before
  const known = Math.max(clock.confirmedDayAgo() ?? 0, dayOld?.sentAt ?? 0)
  const exceeds = (row: StoredTime) => exceedsCount(row) || row.sentAt < known - retentionMs
  // A message from the future was sent when the clock was wrong. It is removed with the next message.
  const afterFuture = isFromFuture(last)
    ? findBoundary(log, [last.sequence, head], isFromFuture).after
    : undefined
  const rows = afterFuture ? [...oldest, afterFuture] : oldest
  const firstKept = rows.findIndex((row) => !exceeds(row) && !isFromFuture(row))
  const removable = firstKept === -1 ? rows : rows.slice(0, firstKept)
  const through = removable.findLast(exceeds)
  return through && Math.min(through.sequence, last.sequence)
}

interface TrimmingOptions {
  /** Called with errors of background work; no request is waiting for it. */
  readonly onError: (error: unknown) => void
  /**
   * Removes at most `limit` messages that exceed the retention limits, oldest first.
   *
   * @returns whether there may be more to remove
   */
  readonly trim: (limit: number) => boolean
}

const pauseMs = 10_000

/** Small enough not to delay sends. While there is more to remove, steps follow each other quickly. */
const messagesPerStep = 500
const betweenStepsMs = 20

/** Trims the log in the background until it is stopped. */
export function scheduleTrimming({ onError, trim }: TrimmingOptions) {
  let timer: Timer | undefined

  function step(): void {
    let more = false
    try {
      more = trim(messagesPerStep)
    } catch (error) {
      onError(error)
    }
    timer = setTimeout(step, more ? betweenStepsMs : pauseMs)
  }

  timer = setTimeout(step, betweenStepsMs)
  return { stop: () => clearTimeout(timer) }
}
