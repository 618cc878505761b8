import type { SQL } from 'bun'
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

/** A stored message. `message` is a JSON text. */
export interface MessageRow {
  readonly sequence: number
  readonly userId: string
  readonly username: string
  readonly idempotencyKey: string | null
  readonly sentAt: number
  readonly message: string
}

const toRow = ([sequence, userId, username, idempotencyKey, sentAt, message]: Row): MessageRow => ({
  sequence: Number(sequence),
  userId,
  username,
  idempotencyKey,
  sentAt: Number(sentAt),
  message,
})

/** The values of a batch, as `append_batch` takes them. */
export interface BatchValues {
  readonly userIds: readonly string[]
  readonly usernames: readonly string[]
  readonly keys: readonly (string | null)[]
  readonly messages: readonly string[]
}

export function toBatchValues(batch: readonly NewMessage[]): BatchValues {
  return {
    userIds: batch.map(({ user }) => user.id),
    usernames: batch.map(({ user }) => user.username),
    keys: batch.map(({ idempotencyKey }) => idempotencyKey ?? null),
    messages: batch.map(({ message }) => JSON.stringify(message)),
  }
}

export interface StoredBatch {
  /** The head of the log before and after the batch. */
  readonly previous: number
  readonly head: number
  readonly sentAt: number
  /** See `append_batch` in the migration. Empty if all messages are new. */
  readonly outcomes: readonly number[]
}

/** The rows of the result as arrays of columns. */
const values = <Values>(sql: SQL, text: string, parameters: readonly unknown[]): Promise<Values[]> =>
  sql.unsafe(text, [...parameters]).values() as unknown as Promise<Values[]>

export async function storeBatch(
  sql: SQL,
  [session, number]: readonly [session: string, number: number],
  { userIds, usernames, keys, messages }: BatchValues,
): Promise<StoredBatch> {
  const [row] = await values<[string, string, string, string[]]>(
    sql,
    'select * from parley.append_batch($1, $2::bigint, $3::text[], $4::text[], $5::text[], $6::text[])',
    [session, number, userIds, usernames, keys, messages],
  )
  if (!row) throw new Error('append_batch returned nothing')
  const [previous, head, sentAt, outcomes] = row
  return {
    previous: Number(previous),
    head: Number(head),
    sentAt: Number(sentAt),
    outcomes: outcomes.map(Number),
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

/** The messages after a sequence, and the head of the log in the same snapshot. */
export async function readRange(
  sql: SQL,
  after: number,
  limit: number,
): Promise<{ head: number; messages: MessageRow[] }> {
  const rows = await values<RowWithState>(
    sql,
    `select h.head, ${columns} from (select parley.log_head() as head) h
     left join lateral (select * from parley.messages where sequence > $1::bigint order by sequence limit $2::int) m
       on true
     order by m.sequence`,
    [after, limit],
  )
  const { state, messages } = splitState(rows)
  return { head: state, messages }
}

/**
 * A page of the messages after a sequence and up to `head`.
 *
 * @param after undefined for the start of the log
 */
export async function readFollowing(
  sql: SQL,
  { after, head, limit }: { after: number | undefined; head: number; limit: number },
): Promise<{ trimmedThrough: number; messages: MessageRow[] }> {
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
export async function readPreceding(sql: SQL, before: number, limit: number): Promise<MessageRow[]> {
  const rows = await values<Row>(
    sql,
    `select ${columns} from parley.messages m where sequence < $1::bigint order by sequence desc limit $2::int`,
    [before, limit],
  )
  return rows.map(toRow)
}

export async function readMessage(sql: SQL, sequence: number): Promise<MessageRow | undefined> {
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
    'delete from parley.messages where sequence = any($1::bigint[]) returning sequence',
    [sequences],
  )
  return rows.map(([sequence]) => Number(sequence))
}

/** Deletes the messages of a user between two sequences. Returns their number. */
export async function removeMessagesOf(
  sql: SQL,
  userId: string,
  { after, through }: { after: number; through: number },
): Promise<number> {
  const rows = await values(
    sql,
    'delete from parley.messages where sequence > $1::bigint and sequence <= $2::bigint and user_id = $3 returning 1',
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

export async function readOldest(sql: SQL, limit: number): Promise<StoredTime[]> {
  const rows = await values<[string, string]>(
    sql,
    'select sequence, sent_at from parley.messages order by sequence limit $1::int',
    [limit],
  )
  return rows.map(([sequence, sentAt]) => ({ sequence: Number(sequence), sentAt: Number(sentAt) }))
}

export async function readNewestThrough(sql: SQL, sequence: number): Promise<StoredTime | undefined> {
  const [row] = await values<[string, string]>(
    sql,
    'select sequence, sent_at from parley.messages where sequence <= $1::bigint order by sequence desc limit 1',
    [sequence],
  )
  return row && { sequence: Number(row[0]), sentAt: Number(row[1]) }
}

export const trimLog = (sql: SQL, through: number): Promise<unknown> =>
  values(sql, 'select parley.trim_log($1::bigint)', [through])

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
