import { and, asc, desc, eq, gt, inArray, lt, lte, type SQL, sql } from 'drizzle-orm'
import { once } from '../once.ts'
import type { Queries } from '../storage/sqlite/connection.ts'
import { entries, messageLog, messages, users } from '../storage/sqlite/schema.ts'
import { prepareStatement } from '../storage/sqlite/statements.ts'

/**
 * The statements of the message log in SQLite. Each is prepared at its first use: with Drizzle, preparing all of
 * them would take longer than opening the database.
 */
export function prepareMessageStatements(queries: Queries) {
  const columns = { sequence: messages.sequence, frame: messages.frame }
  const { placeholder } = sql

  /** Removes the messages that match a condition, those in rooms included, and returns their sequences. */
  function removeWhere(conditionOn: (table: typeof messages | typeof entries) => SQL | undefined): number[] {
    return queries.transaction(
      () => {
        const toAll = queries
          .delete(messages)
          .where(conditionOn(messages))
          .returning({ sequence: messages.sequence })
          .all()
        const inRooms = queries
          .delete(entries)
          .where(and(conditionOn(entries), eq(entries.kind, 'message')))
          .returning({ sequence: entries.sequence })
          .all()
        const removed = [...toAll, ...inRooms].map(({ sequence }) => sequence)
        if (removed.length > 0) {
          const highest = Math.max(...removed)
          queries
            .update(messageLog)
            .set({ removedThrough: sql`max(${messageLog.removedThrough}, ${highest})` })
            .run()
        }
        return removed
      },
      { behavior: 'immediate' },
    )
  }

  return {
    insert: once(() =>
      prepareStatement<
        [sequence: number, userId: string, idempotencyKey: string | null, sentAt: number, frame: string]
      >(
        queries,
        queries.insert(messages).values({
          sequence: placeholder('sequence'),
          userId: placeholder('userId'),
          idempotencyKey: placeholder('idempotencyKey'),
          sentAt: placeholder('sentAt'),
          frame: placeholder('frame'),
        }),
        ['sequence', 'userId', 'idempotencyKey', 'sentAt', 'frame'],
      ),
    ),
    byKey: once(() =>
      queries
        .select(columns)
        .from(messages)
        .where(
          and(
            eq(messages.userId, placeholder('userId')),
            eq(messages.idempotencyKey, placeholder('idempotencyKey')),
          ),
        )
        .prepare(),
    ),
    bySequence: once(() =>
      queries
        .select(columns)
        .from(messages)
        .where(eq(messages.sequence, placeholder('sequence')))
        .prepare(),
    ),
    following: once(() =>
      queries
        .select(columns)
        .from(messages)
        .where(
          and(gt(messages.sequence, placeholder('sequence')), lte(messages.sequence, placeholder('head'))),
        )
        .orderBy(asc(messages.sequence))
        .limit(placeholder('limit'))
        .prepare(),
    ),
    preceding: once(() =>
      queries
        .select(columns)
        .from(messages)
        .where(lt(messages.sequence, placeholder('sequence')))
        .orderBy(desc(messages.sequence))
        .limit(placeholder('limit'))
        .prepare(),
    ),
    oldest: once(() =>
      queries
        .select({ sequence: messages.sequence, sentAt: messages.sentAt })
        .from(messages)
        .orderBy(asc(messages.sequence))
        .limit(placeholder('limit'))
        .prepare(),
    ),
    newestThrough: once(() =>
      queries
        .select({ sequence: messages.sequence, sentAt: messages.sentAt })
        .from(messages)
        .where(lte(messages.sequence, placeholder('sequence')))
        .orderBy(desc(messages.sequence))
        .limit(1)
        .prepare(),
    ),
    /**
     * Removes all messages to all users up to `sequence`, and records that their sequences must not be reused.
     *
     * @returns the number of removed messages
     */
    removeThrough(sequence: number): number {
      return queries.transaction(
        () => {
          const removed = queries
            .delete(messages)
            .where(lte(messages.sequence, sequence))
            .returning({ sequence: messages.sequence })
            .all()
          queries.update(messageLog).set({ trimmedThrough: sequence }).run()
          return removed.length
        },
        { behavior: 'immediate' },
      )
    },
    remove: (sequences: readonly number[]) => removeWhere((table) => inArray(table.sequence, [...sequences])),
    /** Removes the messages of a user between two sequences. */
    removeOf: (userId: string, { after, through }: { after: number; through: number }) =>
      removeWhere((table) =>
        and(gt(table.sequence, after), lte(table.sequence, through), eq(table.userId, userId)),
      ),
    /** The removed users whose messages are still to be erased. */
    erasures: () =>
      queries
        .select({ id: users.id })
        .from(users)
        .where(eq(users.erasesMessages, true))
        .all()
        .map(({ id }) => id),
    finishErasure: (userId: string) =>
      queries.update(users).set({ erasesMessages: false }).where(eq(users.id, userId)).run(),
  }
}

export type MessageStatements = ReturnType<typeof prepareMessageStatements>
