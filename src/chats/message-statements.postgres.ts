import type { SQL } from 'bun'
import { queryRows, queryValues } from '../storage/postgres/rows.ts'
import { type LogRow, logColumns, messageBody, toLogRow, type UnionRow } from './log-rows.postgres.ts'
import type { NewMessage } from './message-log.ts'

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

export async function storeBatch(
  sql: SQL,
  [session, number]: readonly [session: string, number: number],
  { userIds, usernames, keys, messages, rooms }: BatchValues,
): Promise<StoredBatch> {
  const [row] = await queryValues<[string, string, string, (string | null)[], (string | null)[] | null]>(
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
  const [row] = await queryValues<[boolean]>(sql, 'select parley.give_up_batch($1, $2::bigint)', [
    session,
    number,
  ])
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
  const rows = await queryValues<RowWithState>(
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
  const rows = await queryValues<Row>(
    sql,
    `select ${columns} from parley.messages m where sequence < $1::bigint order by sequence desc limit $2::int`,
    [before, limit],
  )
  return rows.map(toRow)
}

export async function readMessage(sql: SQL, sequence: number): Promise<LogRow | undefined> {
  const [row] = await queryValues<Row>(
    sql,
    `select ${columns} from parley.messages m where sequence = $1::bigint`,
    [sequence],
  )
  return row && toRow(row)
}

/** Deletes messages, and returns the sequences of those that were stored. */
export async function removeMessages(sql: SQL, sequences: readonly number[]): Promise<number[]> {
  const rows = await queryValues<[string]>(
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
  const rows = await queryValues(
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

export async function readEpoch(sql: SQL): Promise<string> {
  const [row] = await queryValues<[string]>(sql, 'select epoch from parley.message_log', [])
  if (!row) throw new Error('The table message_log has no row')
  return row[0]
}

/** The sequences of the oldest and the newest message to all users or entry; undefined if there is none. */
export async function readEnds(sql: SQL): Promise<{ oldest: number; newest: number } | undefined> {
  const [row] = await queryValues<[number | null, number]>(
    sql,
    `select least((select min(sequence) from parley.messages), (select min(sequence) from parley.entries))::float8,
       greatest((select max(sequence) from parley.messages), (select max(sequence) from parley.entries))::float8`,
    [],
  )
  const [oldest, newest] = row ?? [null, 0]
  return oldest === null ? undefined : { oldest, newest }
}
