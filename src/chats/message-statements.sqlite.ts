import { and, asc, desc, eq, gt, lt, lte, sql } from 'drizzle-orm'
import type { Queries } from '../storage/sqlite/connection.ts'
import { messageLog, messages } from '../storage/sqlite/schema.ts'
import { prepareStatement } from '../storage/sqlite/statements.ts'

/** The statements of the message log in SQLite, prepared once. */
export function prepareMessageStatements(queries: Queries) {
  const columns = { sequence: messages.sequence, frame: messages.frame }
  const { placeholder } = sql

  return {
    insert: prepareStatement<
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
    byKey: queries
      .select(columns)
      .from(messages)
      .where(
        and(
          eq(messages.userId, placeholder('userId')),
          eq(messages.idempotencyKey, placeholder('idempotencyKey')),
        ),
      )
      .prepare(),
    bySequence: queries
      .select(columns)
      .from(messages)
      .where(eq(messages.sequence, placeholder('sequence')))
      .prepare(),
    following: queries
      .select(columns)
      .from(messages)
      .where(and(gt(messages.sequence, placeholder('sequence')), lte(messages.sequence, placeholder('head'))))
      .orderBy(asc(messages.sequence))
      .limit(placeholder('limit'))
      .prepare(),
    preceding: queries
      .select(columns)
      .from(messages)
      .where(lt(messages.sequence, placeholder('sequence')))
      .orderBy(desc(messages.sequence))
      .limit(placeholder('limit'))
      .prepare(),
    oldest: queries
      .select({ sequence: messages.sequence, sentAt: messages.sentAt })
      .from(messages)
      .orderBy(asc(messages.sequence))
      .limit(placeholder('limit'))
      .prepare(),
    newestThrough: queries
      .select({ sequence: messages.sequence, sentAt: messages.sentAt })
      .from(messages)
      .where(lte(messages.sequence, placeholder('sequence')))
      .orderBy(desc(messages.sequence))
      .limit(1)
      .prepare(),
    /** Removes all messages up to `sequence`, and records that their sequences must not be reused. */
    removeThrough(sequence: number): void {
      queries.transaction(
        () => {
          queries.delete(messages).where(lte(messages.sequence, sequence)).run()
          queries.update(messageLog).set({ trimmedThrough: sequence }).run()
        },
        { behavior: 'immediate' },
      )
    },
  }
}
