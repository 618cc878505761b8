import { and, inArray, isNotNull, lte, sql } from 'drizzle-orm'
import type { Queries, RunOnDatabase } from '../storage/sqlite/connection.ts'
import { entries, memberships, messageLog, rooms } from '../storage/sqlite/schema.ts'
import type { EntryStatements } from './entry-statements.sqlite.ts'
import type { LogClock } from './log-clock.ts'
import { createMessageCount } from './message-count.sqlite.ts'
import { findRemovable } from './retention.ts'

interface EntryRetentionOptions {
  readonly queries: Queries
  readonly write: RunOnDatabase
  readonly statements: EntryStatements
  readonly clock: LogClock
  readonly retentionDays: number
  readonly retentionCount: number
  readonly head: () => number
}

/** Applies the retention limits to the entries of all rooms together, apart from the messages to all users. */
export function createEntryRetention({ queries, write, statements, ...limits }: EntryRetentionOptions) {
  const count = createMessageCount({ queries, table: entries, retentionCount: limits.retentionCount })
  let trimmedThrough = statements.highestTrimmed().get()?.sequence ?? 0
  const newest = (through: number) => statements.newest().get(through) ?? undefined

  /** Deletes what the removed entries leave behind: ended memberships and rooms. @returns their highest end */
  function forget(numbers: readonly number[], through: number): number {
    const ended = and(
      inArray(memberships.room, [...numbers]),
      lte(
        memberships.throughSequence,
        sql`(select ${rooms.trimmedThrough} from ${rooms} where ${rooms.number} = ${memberships.room})`,
      ),
    )
    const forgotten = queries
      .delete(memberships)
      .where(ended)
      .returning({ end: memberships.throughSequence })
      .all()
    queries
      .delete(rooms)
      .where(and(isNotNull(rooms.endedAt), lte(rooms.endedAt, through)))
      .run()
    return forgotten.reduce((highest, { end }) => Math.max(highest, end), 0)
  }

  function removeThrough(through: number): { removed: number; forgotten: number } {
    return queries.transaction(
      () => {
        const isOld = lte(entries.sequence, through)
        const trimmed = queries
          .select({
            room: entries.room,
            last: sql<number>`max(${entries.sequence})`,
            count: sql<number>`count(*)`,
          })
          .from(entries)
          .where(isOld)
          .groupBy(entries.room)
          .all()
        for (const { room, last } of trimmed) {
          queries.update(rooms).set({ trimmedThrough: last }).where(sql`${rooms.number} = ${room}`).run()
        }
        queries.delete(entries).where(isOld).run()
        const numbers = trimmed.map(({ room }) => room)
        const forgotten = forget(numbers, through)
        queries
          .update(messageLog)
          .set({
            removedThrough: sql`max(${messageLog.removedThrough}, ${through})`,
            forgottenThrough: sql`max(${messageLog.forgottenThrough}, ${forgotten})`,
          })
          .run()
        return { removed: trimmed.reduce((sum, each) => sum + each.count, 0), forgotten }
      },
      { behavior: 'immediate' },
    )
  }

  return {
    /** The highest sequence through which entries of any room were removed. */
    trimmedThrough: () => trimmedThrough,
    /** Records that entries were removed one by one. */
    removed: count.removed,
    /**
     * Removes at most `limit` entries, oldest first.
     *
     * @returns whether there may be more to remove, and the highest end of the memberships that were deleted
     */
    trim(limit: number): { more: boolean; forgotten: number } {
      const log = {
        head: limits.head,
        oldest: (most: number) => statements.oldest().all(most),
        newestThrough: newest,
        countEdge: count.edge,
      }
      const through = findRemovable({ ...limits, log }, limit)
      if (through === undefined) return { more: !count.isComplete(), forgotten: 0 }
      const { removed, forgotten } = write(() => removeThrough(through))
      trimmedThrough = Math.max(trimmedThrough, through)
      count.removedOldest(removed)
      return { more: true, forgotten }
    },
  }
}
