import type { SQL } from 'bun'
import { UnusableStorage } from '../errors.ts'

/**
 * Keeps all other programs from changing the tables until the end of the transaction.
 *
 * @throws UnusableStorage if the database contains data, or a node is using it
 */
export async function requireEmpty(sql: SQL): Promise<void> {
  const [nodes] = await sql`
    select count(distinct client_addr || ':' || pid)::int as sessions from pg_stat_activity
    where datname = current_database() and application_name in ('parley', 'parley appends', 'parley feed', 'parley listen')`
  if (nodes.sessions > 0) {
    throw new UnusableStorage(
      'DATABASE_URL: a node is using the database. Stop all nodes. Nothing was moved.',
    )
  }
  await sql`lock table parley.users, parley.revoked_tokens, parley.messages, parley.message_log, parley.rooms,
    parley.memberships, parley.entries, parley.room_requests in exclusive mode`
  const [found] = await sql`
    select (select count(*) from parley.users)::float8 as accounts,
      (select count(*) from parley.messages)::float8 as messages,
      (select count(*) from parley.rooms)::float8 as rooms,
      (select count(*) from parley.revoked_tokens)::float8 as tokens, parley.log_head()::float8 as head`
  if (
    found.accounts === 0 &&
    found.messages === 0 &&
    found.rooms === 0 &&
    found.tokens === 0 &&
    found.head === 0
  )
    return
  throw new UnusableStorage(
    `DATABASE_URL: the database is not empty: it has ${found.accounts} accounts, ${found.messages} messages, ` +
      `${found.rooms} rooms and ${found.tokens} revoked tokens. Use an empty database. Nothing was moved.`,
  )
}
