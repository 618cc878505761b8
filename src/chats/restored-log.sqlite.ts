import type { Database as Sqlite } from 'bun:sqlite'
import { and, eq, type SQL, sql } from 'drizzle-orm'
import type { Queries } from '../storage/sqlite/connection.ts'
import { entries, messageLog, messages } from '../storage/sqlite/schema.ts'
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

/** The tables with messages. Databases before release 1.3.0 have no rooms. */
function messageTables(sqlite: Sqlite): readonly string[] {
  const hasRooms = sqlite.query("select 1 from sqlite_schema where name = 'entries'").get() !== null
  return hasRooms ? ['messages', 'entries'] : ['messages']
}

/** Undefined if no service has started with the database yet. */
function readState(sqlite: Sqlite): LogState | undefined {
  const row = sqlite.query<LogRow, []>('select * from message_log').get()
  if (row === null) return undefined
  const newest = messageTables(sqlite).map(
    (table) =>
      sqlite.query<{ head: number | null }, []>(`select max(sequence) as head from ${table}`).get()?.head ??
      0,
  )
  const head = Math.max(...newest, row.trimmed_through, row.removed_through ?? 0)
  return { epoch: row.incarnation, head }
}

/** Whether the replaced log has assigned an id that the backup does not know, or has given to another message. */
function hasLostMessages(backup: Sqlite, replaced: Sqlite): boolean {
  const [before, after] = [readState(backup), readState(replaced)]
  if (after === undefined) return false
  if (before === undefined || before.epoch !== after.epoch || after.head > before.head) return true
  // The backup has all tables of this release. A sequence is in one of them.
  const inBackup = backup.prepare<{ frame: string }, [number]>(
    'select frame from messages where sequence = ?1 union all select frame from entries where sequence = ?1',
  )
  for (const table of messageTables(replaced)) {
    const rows = replaced.query<MessageRow, []>(`select sequence, frame from ${table}`).iterate()
    for (const { sequence, frame } of rows) {
      const same = inBackup.get(sequence)
      if (same !== null && same.frame !== frame) return true
    }
  }
  return false
}

/** Gives the log a new epoch, so that all cursors of clients lead to a gap instead of to other messages. */
function startEpoch(queries: Queries): void {
  const state = queries.select().from(messageLog).get()
  if (!state) return
  const epoch = createEpoch()
  const prefixOf = (kind: string, name: string) => `{"event":"${kind}","id":"${name}-`
  /** Replaces the epoch in the ids of the messages, or of the entries of one kind. */
  function replaceEpoch(table: typeof messages | typeof entries, kind: string, isKind?: SQL): void {
    const old = prefixOf(kind, state?.epoch ?? '')
    const [foreign] = queries
      .select({ sequence: table.sequence })
      .from(table)
      .where(and(isKind, sql`substr(${table.frame}, 1, ${old.length}) <> ${old}`))
      .limit(1)
      .all()
    if (foreign) throw new Error(`The message ${foreign.sequence} has an id of another log`)
    queries
      .update(table)
      .set({ frame: sql`${prefixOf(kind, epoch)} || substr(${table.frame}, ${old.length + 1})` })
      .where(isKind)
      .run()
  }
  replaceEpoch(messages, 'message')
  for (const kind of entries.kind.enumValues) replaceEpoch(entries, kind, eq(entries.kind, kind))
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
