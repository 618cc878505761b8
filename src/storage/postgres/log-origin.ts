import type { SQL } from 'bun'

/** How the database is replicated to its standbys, if it has any. */
export type Replication = 'asynchronous' | 'synchronous'

/**
 * Whether the log may lack messages because it is at another place than before. With synchronous replication, the
 * promotion of a standby loses nothing.
 */
export function mayLackMessages(
  before: string | null,
  now: string | null,
  replication: Replication,
): boolean {
  if (before === null || now === null || before === now) return false
  const place = (origin: string) => origin.split(':')[0]
  return replication === 'asynchronous' || place(before) !== place(now)
}

/** Identifies the database: a copy of it has another place, see `log_place` in the migration. */
export async function readPlace(sql: SQL): Promise<string> {
  const [row] = await sql`select parley.log_place() as place`
  return row.place
}

/**
 * Gives the log a new epoch, so that all cursors of clients lead to a gap instead of to other messages.
 *
 * @param before the epoch to replace, unless another node has replaced it
 */
export async function startEpoch(sql: SQL, epoch: string, before: string): Promise<void> {
  await sql`
    update parley.message_log set epoch = ${epoch}, origin = parley.log_origin() where epoch = ${before}`
}

/**
 * Records where the log is. If messages may have been lost since the last start of a node, a new epoch begins.
 *
 * @returns whether a new epoch has begun
 */
export async function recordOrigin(sql: SQL, epoch: string, replication: Replication): Promise<boolean> {
  const [log] = await sql`
    select l.epoch, l.origin, parley.log_origin() as now from parley.message_log l for update`
  if (mayLackMessages(log.origin, log.now, replication)) {
    await startEpoch(sql, epoch, log.epoch)
    return true
  }
  if (log.now !== null && log.now !== log.origin) {
    await sql`update parley.message_log set origin = ${log.now}`
  }
  return false
}
