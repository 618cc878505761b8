import type { Queries, RunOnDatabase } from '../storage/sqlite/connection.ts'
import { messages } from '../storage/sqlite/schema.ts'
import { createEntryRetention } from './entry-retention.sqlite.ts'
import type { EntryStatements } from './entry-statements.sqlite.ts'
import type { LogClock } from './log-clock.ts'
import { createMessageCount } from './message-count.sqlite.ts'
import type { MessageStatements } from './message-statements.sqlite.ts'
import { findRemovable, type RetainedLog, scheduleTrimming } from './retention.ts'

interface RetentionOptions {
  readonly queries: Queries
  readonly write: RunOnDatabase
  readonly statements: MessageStatements
  readonly entries: EntryStatements
  readonly clock: LogClock
  readonly retentionDays: number
  readonly retentionCount: number
  readonly head: () => number
  readonly trimmedThrough: () => number
  /** Called after the messages to all users through a sequence were removed. */
  readonly onTrimmed: (sequence: number) => void
  /** Called after ended memberships were deleted, with the highest of their ends. */
  readonly onForgotten: (sequence: number) => void
  /** Called with errors of background work; no request is waiting for it. */
  readonly onError: (error: unknown) => void
}

/** Applies the retention limits in the background: to the messages to all users, and to the entries of rooms. */
export function createRetention(options: RetentionOptions) {
  const { queries, write, statements, entries, retentionCount, head, onError } = options
  const count = createMessageCount({ queries, table: messages, retentionCount })
  let counting = false
  const rooms = createEntryRetention({ ...options, statements: entries })

  /** With rooms, the sequences of the messages have holes, so the messages themselves are counted. */
  function countEdge(oldest: Parameters<NonNullable<RetainedLog['countEdge']>>[0]): number {
    const bySequence = head() - retentionCount
    counting = bySequence > options.trimmedThrough() && entries.oldest().get(1) !== null
    return counting ? count.edge(oldest) : bySequence
  }

  const log: RetainedLog = {
    head,
    oldest: (limit) => statements.oldest().all({ limit }),
    newestThrough: (sequence) => statements.newestThrough().get({ sequence }),
    countEdge,
  }

  function trimMessages(limit: number): boolean {
    const through = findRemovable({ ...options, log }, limit)
    if (through === undefined) return counting && !count.isComplete()
    count.removedOldest(write(() => statements.removeThrough(through)))
    options.onTrimmed(through)
    return true
  }

  function trim(limit: number): boolean {
    const more = trimMessages(limit)
    const trimmed = rooms.trim(limit)
    if (trimmed.forgotten > 0) options.onForgotten(trimmed.forgotten)
    return more || trimmed.more
  }

  const trimming = scheduleTrimming({ onError, trim })

  function removed(sequences: readonly number[]): void {
    count.removed(sequences)
    rooms.removed(sequences)
  }

  return {
    roomsTrimmedThrough: rooms.trimmedThrough,
    /** Records that single messages were removed. */
    removed,
    /** The statements of an erasure, which record what they remove. */
    observed: (observed: MessageStatements): MessageStatements => ({
      ...observed,
      removeOf(userId, range) {
        const sequences = observed.removeOf(userId, range)
        removed(sequences)
        return sequences
      },
    }),
    stop: trimming.stop,
  }
}
