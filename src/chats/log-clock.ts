import type { Clock } from '../clock.ts'

/** A difference up to this is drift, which the operating system corrects in small steps. */
const driftMs = 1000

/** How long a jump of the wall clock has to last until the log follows it. */
export const settleMs = 60_000

/** While the newest message is ahead by no more than this, its time is repeated until the clock catches up. */
export const maxHoldMs = 3_600_000

/** How long the time of a newest message that is further ahead is repeated. */
export const stepBackMs = 600_000

const dayMs = 86_400_000

export interface LogClock {
  /** The time for the messages of the next commit, in milliseconds since the epoch. */
  stamp(): number
  /** Records that a commit with this time has succeeded. */
  stored(sentAt: number): void
  /** The time that the log believes in. Call it regularly, so that jumps are noticed. */
  now(): number
  /** The time of a day ago if this process has run without a jump for that long; otherwise undefined. */
  confirmedDayAgo(): number | undefined
}

interface LogClockOptions {
  readonly clock: Clock
  /** The time of the newest stored message; 0 if there is none. */
  readonly newestSentAt: number
}

/**
 * The time of the log. It follows the wall clock, but ignores jumps that last less than a minute, and does
 * not go back where waiting for the clock takes less than an hour (docs/decisions/clock-jumps.md).
 */
export function createLogClock({ clock, newestSentAt }: LogClockOptions): LogClock {
  let anchor = { epoch: clock.epochMs(), monotonic: clock.monotonicMs() }
  let steadySince = anchor.monotonic
  /** The difference between the wall clock and the believed time, if the wall clock has jumped. */
  let jump: { readonly offset: number; readonly since: number } | undefined
  let newest = newestSentAt
  /** Since when the newest message has been so far ahead that the log does not wait for the clock. */
  let farAheadSince: number | undefined

  function believe(): number {
    const epoch = clock.epochMs()
    const monotonic = clock.monotonicMs()
    const expected = anchor.epoch + monotonic - anchor.monotonic
    const offset = epoch - expected
    const isDrift = Math.abs(offset) <= driftMs
    if (isDrift) {
      jump = undefined
    } else {
      if (jump === undefined || Math.abs(offset - jump.offset) > driftMs) jump = { offset, since: monotonic }
      if (monotonic - jump.since < settleMs) return expected
      jump = undefined
      steadySince = monotonic
    }
    anchor = { epoch, monotonic }
    return epoch
  }

  /** After a step back, the wall clock is used at once: the stamps then wait for it. */
  function now(): number {
    const time = Math.round(Math.min(believe(), clock.epochMs()))
    if (newest - time <= maxHoldMs) farAheadSince = undefined
    else farAheadSince ??= clock.monotonicMs()
    return time
  }

  return {
    stamp() {
      const time = now()
      const stepsBack = farAheadSince !== undefined && clock.monotonicMs() - farAheadSince >= stepBackMs
      return stepsBack ? time : Math.max(time, newest)
    },
    stored(sentAt) {
      newest = sentAt
    },
    now,
    confirmedDayAgo() {
      const time = now()
      return clock.monotonicMs() - steadySince >= dayMs && jump === undefined ? time - dayMs : undefined
    },
  }
}
