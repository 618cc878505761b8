import type { Database as Sqlite } from 'bun:sqlite'

/** What a database contains, for the operator. */
export interface DatabaseCounts {
  /** Without the removed accounts. */
  readonly accounts: number
  /** Those in rooms included. */
  readonly messages: number
}

const count = (sqlite: Sqlite, from: string): number =>
  sqlite.query<{ count: number }, []>(`select count(*) as count from ${from}`).get()?.count ?? 0

/** Counts the rows of a database of this or an older release. */
export function countRows(sqlite: Sqlite): DatabaseCounts {
  const columns = sqlite.query<{ name: string }, []>("select name from pragma_table_info('users')").all()
  // Releases before 1.2.0 deleted the rows of removed accounts.
  const keepsRemoved = columns.some(({ name }) => name === 'removed_at')
  const hasRooms = sqlite.query("select 1 from sqlite_schema where name = 'entries'").get() !== null
  return {
    accounts: count(sqlite, keepsRemoved ? 'users where removed_at is null' : 'users'),
    messages: count(sqlite, 'messages') + (hasRooms ? count(sqlite, "entries where kind = 'message'") : 0),
  }
}
