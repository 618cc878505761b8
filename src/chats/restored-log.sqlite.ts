import type { Database as Sqlite } from 'bun:sqlite'
import { sql } from 'drizzle-orm'
import type { Queries } from '../storage/sqlite/connection.ts'
import { messageLog, messages } from '../storage/sqlite/schema.ts'
import { createEpoch } from './message-ids.ts'

/** The row of `message_log` in a database of any release. */
interface LogRow {
  readonly incarnation: string
  readonly trimmed_through: number
  /** Since release 1.2.0. */
  readonly removed_through?: number
}

interface MessageRow {
  readonly sequence: number
  readonly frame: string
}

interface LogState {
  readonly epoch: string
  /** The sequence of the newest message, even if it has been removed. */
  readonly head: number
}

/** Undefined if no service has started with the database yet. */
function readState(sqlite: Sqlite): LogState | undefined {
  const row = sqlite.query<LogRow, []>('select * from message_log').get()
  if (row === null) return undefined
  const newest = sqlite.query<{ head: number | null }, []>('select max(sequence) as head from messages').get()
  const head = Math.max(newest?.head ?? 0, row.trimmed_through, row.removed_through ?? 0)
  return { epoch: row.incarnation, head }
}

/** Whether the replaced log has assigned an id that the backup does not know, or has given to another message. */
function hasLostMessages(backup: Sqlite, replaced: Sqlite): boolean {
  const [before, after] = [readState(backup), readState(replaced)]
  if (after === undefined) return false
  if (before === undefined || before.epoch !== after.epoch || after.head > before.head) return true
  const inBackup = backup.prepare<{ frame: string }, [number]>(
    'select frame from messages where sequence = ?',
  )
  for (const { sequence, frame } of replaced
    .query<MessageRow, []>('select sequence, frame from messages')
    .iterate()) {
    const same = inBackup.get(sequence)
    if (same !== null && same.frame !== frame) return true
  }
  return false
}

/** Gives the log a new epoch, so that all cursors of clients lead to a gap instead of to other messages. */
function startEpoch(queries: Queries): void {
  const state = queries.select().from(messageLog).get()
  if (!state) return
  const epoch = createEpoch()
  const prefixOf = (name: string) => `{"event":"message","id":"${name}-`
  const old = prefixOf(state.epoch)
  const [foreign] = queries
    .select({ sequence: messages.sequence })
    .from(messages)
    .where(sql`substr(${messages.frame}, 1, ${old.length}) <> ${old}`)
    .limit(1)
    .all()
  if (foreign) throw new Error(`The message ${foreign.sequence} has an id of another log`)
  queries
    .update(messages)
    .set({ frame: sql`${prefixOf(epoch)} || substr(${messages.frame}, ${old.length + 1})` })
    .run()
  queries.update(messageLog).set({ epoch }).run()
}

/**
 * Starts a new epoch in a backup that is about to replace a database, if ids of messages could otherwise be
 * assigned a second time.
 *
 * @param replaced undefined if it cannot be read: then messages may have been lost
 * @returns whether messages were lost
 */
export function continueLog(copy: Queries, replaced: Sqlite | undefined): boolean {
  const lost = replaced === undefined || hasLostMessages(copy.$client, replaced)
  if (lost) startEpoch(copy)
  return lost
}
