import { sql } from 'drizzle-orm'
import { once } from '../once.ts'
import type { Queries } from '../storage/sqlite/connection.ts'
import type { entries, messages } from '../storage/sqlite/schema.ts'
import type { StoredTime } from './retention.ts'

/** Small enough not to delay sends. */
const rowsPerStep = 5000

interface MessageCountOptions {
  readonly queries: Queries
  readonly table: typeof messages | typeof entries
  readonly retentionCount: number
}

/**
 * Counts the stored messages of a table, one part at each call, so that opening a log with millions of messages
 * takes no longer.
 */
export function createMessageCount({ queries, table, retentionCount }: MessageCountOptions) {
  const following = once(() =>
    queries
      .select({ sequence: table.sequence })
      .from(table)
      .where(sql`${table.sequence} > ${sql.placeholder('through')}`)
      .orderBy(table.sequence)
      .limit(rowsPerStep)
      .prepare(),
  )
  let through = 0
  let count = 0
  let complete = false

  function countNext(): void {
    const rows = following().all({ through })
    count += rows.length
    through = rows.at(-1)?.sequence ?? through
    complete = rows.length < rowsPerStep
  }

  return {
    /** Whether all messages have been counted at least once. */
    isComplete: () => complete,
    /** The sequence through which the oldest messages exceed the limit, or 0. Counts the next part. */
    edge(oldest: readonly StoredTime[]): number {
      countNext()
      if (!complete || count <= retentionCount) return 0
      return oldest[Math.min(count - retentionCount, oldest.length) - 1]?.sequence ?? 0
    },
    /** Records that messages were removed. */
    removed(sequences: readonly number[]): void {
      for (const sequence of sequences) if (sequence <= through) count--
    },
    /** Records that the oldest messages were removed. All of them had been counted, unless the count is incomplete. */
    removedOldest(messages: number): void {
      count = Math.max(0, count - messages)
    },
  }
}
