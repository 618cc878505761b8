import type { SQL } from 'bun'
import { queryValues } from '../storage/postgres/rows.ts'
import type { StoredTime } from './retention.ts'

/** The users who were removed before a time and whose messages are still to be erased. */
export async function findErasures(sql: SQL, removedBefore: number): Promise<string[]> {
  const rows = await queryValues<[string]>(
    sql,
    'select id from parley.users where erases_messages and removed_at <= $1::bigint',
    [removedBefore],
  )
  return rows.map(([id]) => id)
}

export const finishErasure = (sql: SQL, userId: string): Promise<unknown> =>
  queryValues(sql, 'update parley.users set erases_messages = false where id = $1', [userId])

/** The tables of the log, which are trimmed apart. */
export type LogTable = 'messages' | 'entries'

export async function readOldest(sql: SQL, table: LogTable, limit: number): Promise<StoredTime[]> {
  const rows = await queryValues<[string, string]>(
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
  const [row] = await queryValues<[string, string]>(
    sql,
    `select sequence, sent_at from parley.${table} where sequence <= $1::bigint order by sequence desc limit 1`,
    [sequence],
  )
  return row && { sequence: Number(row[0]), sentAt: Number(row[1]) }
}

/** The sequence through which the rows exceed their permitted number, or 0. It looks at as many rows. */
export async function readCountEdge(sql: SQL, table: LogTable, permitted: number): Promise<number> {
  const [row] = await queryValues<[string]>(
    sql,
    `select sequence from parley.${table} order by sequence desc offset $1::int limit 1`,
    [permitted],
  )
  return Number(row?.[0] ?? 0)
}

export const hasEntries = async (sql: SQL): Promise<boolean> =>
  (await queryValues(sql, 'select 1 from parley.entries limit 1', [])).length > 0

export const trimTable = (sql: SQL, table: LogTable, through: number): Promise<unknown> =>
  queryValues(sql, `select parley.${table === 'messages' ? 'trim_log' : 'trim_entries'}($1::bigint)`, [
    through,
  ])

/** The advisory locks of background work. Those of appends, limits and migrations are in append.sql, limits.sql and migrations.ts. */
const maintenanceLocks = { trimming: 2, cleaning: 3 } as const

/** Takes a lock until the end of the transaction. Returns false if another node has it. */
export async function tryMaintenanceLock(sql: SQL, lock: keyof typeof maintenanceLocks): Promise<boolean> {
  const [row] = await queryValues<[boolean]>(sql, 'select pg_try_advisory_xact_lock(1885434988, $1::int)', [
    maintenanceLocks[lock],
  ])
  return row?.[0] === true
}

/**
 * Deletes at most `limit` records of old batches, and returns their number. A record is needed while its batch may
 * be asked for again. The newest of a process is kept for longer: it makes attempts that arrive late be refused.
 */
export async function pruneBatches(sql: SQL, limit: number): Promise<number> {
  const rows = await queryValues(
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
