import type { SQL } from 'bun'
import { queryRows } from '../storage/postgres/rows.ts'
import { type LogRow, logColumns, messageBody, toLogRow, type UnionRow } from './log-rows.postgres.ts'
import type { NewMessage } from './message-log.ts'
import type { StoredTime } from './retention.ts'

/** A row of `messages`, in the order of `columns`. 64-bit integers arrive as text. */
type Row = [
  sequence: string,
  userId: string,
  username: string,
  idempotencyKey: string | null,
  sentAt: string,
  message: string,
]

const columns = 'm.sequence, m.user_id, m.username, m.idempotency_key, m.sent_at, m.message'

const toRow = ([sequence, userId, username, idempotencyKey, sentAt, body]: Row): LogRow => ({
  sequence: Number(sequence),
  userId,
  username,
  idempotencyKey,
  sentAt: Number(sentAt),
  body,
})

/** The values of a batch, as `append_batch` takes them. */
export interface BatchValues {
  readonly userIds: readonly string[]
  readonly usernames: readonly string[]
  readonly keys: readonly (string | null)[]
  readonly messages: readonly string[]
  /** The rooms of the messages; null if none is to a room. */
  readonly rooms: readonly (string | null)[] | null
}

export function toBatchValues(batch: readonly NewMessage[]): BatchValues {
  return {
    userIds: batch.map(({ user }) => user.id),
    usernames: batch.map(({ user }) => user.username),
    keys: batch.map(({ idempotencyKey }) => idempotencyKey ?? null),
    messages: batch.map(({ message, user, room }) =>
      room === undefined ? JSON.stringify(message) : messageBody(room, message, user),
    ),
    rooms: batch.some(({ room }) => room !== undefined) ? batch.map(({ room }) => room ?? null) : null,
  }
}

export interface StoredBatch {
  /** The head of the log before and after the batch. */
  readonly previous: number
  readonly head: number
  readonly sentAt: number
  /** See `append_batch` in the migration. Empty if all messages are new. */
  readonly outcomes: readonly (number | null)[]
  /** The numbers of the rooms of the messages. Empty if all messages are to all users. */
  readonly rooms: readonly (number | null)[]
}

/** The rows of the result as arrays of columns. */
const values = <Values>(sql: SQL, text: string, parameters: readonly unknown[]): Promise<Values[]> =>
  sql.unsafe(text, [...parameters]).values() as unknown as Promise<Values[]>

export async function storeBatch(
  sql: SQL,
  [session, number]: readonly [session: string, number: number],
  { userIds, usernames, keys, messages, rooms }: BatchValues,
): Promise<StoredBatch> {
  const [row] = await values<[string, string, string, (string | null)[], (string | null)[] | null]>(
    sql,
    'select * from parley.append_batch($1, $2::bigint, $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])',
    [session, number, userIds, usernames, keys, messages, rooms],
  )
  if (!row) throw new Error('append_batch returned nothing')
  const [previous, head, sentAt, outcomes, roomNumbers] = row
  const toNumbers = (numbers: readonly (string | null)[]) =>
    numbers.map((number) => (number === null ? null : Number(number)))
  return {
    previous: Number(previous),
    head: Number(head),
    sentAt: Number(sentAt),
    outcomes: toNumbers(outcomes),
    rooms: toNumbers(roomNumbers ?? []),
  }
}

export async function giveUpBatch(sql: SQL, session: string, number: number): Promise<boolean> {
  const [row] = await values<[boolean]>(sql, 'select parley.give_up_batch($1, $2::bigint)', [session, number])
  return row?.[0] === true
}

/** A message and, next to it, the state of the log in the same snapshot. Without a message, nulls. */
type RowWithState = [state: string, ...message: Row | Record<keyof Row, null>[]]

const hasMessage = (row: readonly unknown[]) => row[1] !== null

const splitState = (rows: readonly RowWithState[]) => ({
  state: Number(rows[0]?.[0] ?? 0),
  messages: rows.filter(hasMessage).map(([, ...row]) => toRow(row as Row)),
})

/** The messages and the entries of rooms after a sequence, and the head of the log in the same snapshot. */
export async function readRange(
  sql: SQL,
  after: number,
  limit: number,
): Promise<{ head: number; rows: LogRow[] }> {
  const found = await queryRows<{ head: number } & (UnionRow | Record<keyof UnionRow, null>)>(
    sql,
    `select h.head::float8 as head, ${logColumns('l')} from (select parley.log_head() as head) h
     left join lateral (
       (select sequence, user_id, username, idempotency_key, sent_at, message as body,
          null::bigint as room, null as audience, null as kind
        from parley.messages where sequence > $1::bigint order by sequence limit $2::int)
       union all
       (select sequence, user_id, null, idempotency_key, sent_at, body, room, audience, kind
        from parley.entries where sequence > $1::bigint order by sequence limit $2::int)
       order by sequence limit $2::int
     ) l on true
     order by l.sequence`,
    [after, limit],
  )
  const rows = found.flatMap((row) => (row.sequence === null ? [] : toLogRow(row)))
  return { head: found[0]?.head ?? 0, rows }
}

/**
 * A page of the messages after a sequence and up to `head`.
 *
 * @param after undefined for the start of the log
 */
export async function readFollowing(
  sql: SQL,
  { after, head, limit }: { after: number | undefined; head: number; limit: number },
): Promise<{ trimmedThrough: number; messages: LogRow[] }> {
  const rows = await values<RowWithState>(
    sql,
    `select l.trimmed_through, ${columns} from parley.message_log l
     left join lateral (
       select * from parley.messages
       where sequence > $1::bigint and sequence <= $2::bigint order by sequence limit $3::int
     ) m on true
     order by m.sequence`,
    [after ?? 0, head, limit],
  )
  const { state, messages } = splitState(rows)
  return { trimmedThrough: state, messages }
}

/** The messages before a sequence, newest first. */
export async function readPreceding(sql: SQL, before: number, limit: number): Promise<LogRow[]> {
  const rows = await values<Row>(
    sql,
    `select ${columns} from parley.messages m where sequence < $1::bigint order by sequence desc limit $2::int`,
    [before, limit],
  )
  return rows.map(toRow)
}

export async function readMessage(sql: SQL, sequence: number): Promise<LogRow | undefined> {
  const [row] = await values<Row>(
    sql,
    `select ${columns} from parley.messages m where sequence = $1::bigint`,
    [sequence],
  )
  return row && toRow(row)
}

/** Deletes messages, and returns the sequences of those that were stored. */
export async function removeMessages(sql: SQL, sequences: readonly number[]): Promise<number[]> {
  const rows = await values<[string]>(
    sql,
    `with removed_messages as (
       delete from parley.messages where sequence = any($1::bigint[]) returning sequence
     ), removed_entries as (
       delete from parley.entries where sequence = any($1::bigint[]) and kind = 'message' returning sequence
     )
     select sequence from removed_messages union all select sequence from removed_entries`,
    [sequences],
  )
  const found = new Set(rows.map(([sequence]) => Number(sequence)))
  return [...new Set(sequences)].filter((sequence) => found.has(sequence))
}

/** Deletes the messages of a user between two sequences. Returns their number. */
export async function removeMessagesOf(
  sql: SQL,
  userId: string,
  { after, through }: { after: number; through: number },
): Promise<number> {
  const rows = await values(
    sql,
    `with removed_messages as (
       delete from parley.messages where sequence > $1::bigint and sequence <= $2::bigint and user_id = $3 returning 1
     ), removed_entries as (
       delete from parley.entries
       where sequence > $1::bigint and sequence <= $2::bigint and user_id = $3 and kind = 'message' returning 1
     )
     select 1 from removed_messages union all select 1 from removed_entries`,
    [after, through, userId],
  )
  return rows.length
}

/** The users who were removed before a time and whose messages are still to be erased. */
export async function findErasures(sql: SQL, removedBefore: number): Promise<string[]> {
  const rows = await values<[string]>(
    sql,
    'select id from parley.users where erases_messages and removed_at <= $1::bigint',
    [removedBefore],
  )
  return rows.map(([id]) => id)
}

export const finishErasure = (sql: SQL, userId: string): Promise<unknown> =>
  values(sql, 'update parley.users set erases_messages = false where id = $1', [userId])

export async function readEpoch(sql: SQL): Promise<string> {
  const [row] = await values<[string]>(sql, 'select epoch from parley.message_log', [])
  if (!row) throw new Error('The table message_log has no row')
  return row[0]
}

/** The tables of the log, which are trimmed apart. */
export type LogTable = 'messages' | 'entries'

export async function readOldest(sql: SQL, table: LogTable, limit: number): Promise<StoredTime[]> {
  const rows = await values<[string, string]>(
    sql,
    `select sequence, sent_at from parley.${table} order by sequence limit $1::int`,
    [limit],
  )
  return rows.map(([sequence, sentAt]) => ({ sequence: Number(sequence), sentAt: Number(sentAt) }))
}

export async function readNewestThrough(
  sql: SQL,
  table: LogTable,
  sequence: number,
): Promise<StoredTime | undefined> {
  const [row] = await values<[string, string]>(
    sql,
    `select sequence, sent_at from parley.${table} where sequence <= $1::bigint order by sequence desc limit 1`,
    [sequence],
  )
  return row && { sequence: Number(row[0]), sentAt: Number(row[1]) }
}

/** The sequence through which the rows exceed their permitted number, or 0. It looks at as many rows. */
export async function readCountEdge(sql: SQL, table: LogTable, permitted: number): Promise<number> {
  const [row] = await values<[string]>(
    sql,
    `select sequence from parley.${table} order by sequence desc offset $1::int limit 1`,
    [permitted],
  )
  return Number(row?.[0] ?? 0)
}

/** The sequences of the oldest and the newest message to all users or entry; undefined if there is none. */
export async function readEnds(sql: SQL): Promise<{ oldest: number; newest: number } | undefined> {
  const [row] = await values<[number | null, number]>(
    sql,
    `select least((select min(sequence) from parley.messages), (select min(sequence) from parley.entries))::float8,
       greatest((select max(sequence) from parley.messages), (select max(sequence) from parley.entries))::float8`,
    [],
  )
  const [oldest, newest] = row ?? [null, 0]
  return oldest === null ? undefined : { oldest, newest }
}

export const hasEntries = async (sql: SQL): Promise<boolean> =>
  (await values(sql, 'select 1 from parley.entries limit 1', [])).length > 0

export const trimTable = (sql: SQL, table: LogTable, through: number): Promise<unknown> =>
  values(sql, `select parley.${table === 'messages' ? 'trim_log' : 'trim_entries'}($1::bigint)`, [through])

/** The advisory locks of background work. Those of appends and migrations are in 0000_initial.sql and migrations.ts. */
const maintenanceLocks = { trimming: 2, cleaning: 3 } as const

/** Takes a lock until the end of the transaction. Returns false if another node has it. */
export async function tryMaintenanceLock(sql: SQL, lock: keyof typeof maintenanceLocks): Promise<boolean> {
  const [row] = await values<[boolean]>(sql, 'select pg_try_advisory_xact_lock(1885434988, $1::int)', [
    maintenanceLocks[lock],
  ])
  return row?.[0] === true
}

/**
 * Deletes at most `limit` records of old batches, and returns their number. A record is needed while its batch may
 * be asked for again. The newest of a process is kept for longer: it makes attempts that arrive late be refused.
 */
export async function pruneBatches(sql: SQL, limit: number): Promise<number> {
  const rows = await values(
    sql,
    `delete from parley.append_batches where (session, batch) in (
       select session, batch from parley.append_batches b
       where recorded_at < now() - interval '10 minutes' and (
         recorded_at < now() - interval '7 days'
         or exists (select 1 from parley.append_batches n where n.session = b.session and n.batch > b.batch)
       )
       order by recorded_at limit $1::int
     ) returning 1`,
    [limit],
  )
  return rows.length
}
