import type { Database as Sqlite } from 'bun:sqlite'
import { isNull, sql } from 'drizzle-orm'
import type { Queries } from '../storage/sqlite/connection.ts'
import { users } from '../storage/sqlite/schema.ts'
import { nextValidFrom } from './users.sqlite.ts'

/** Revokes the tokens of all accounts, also of those that were issued after the backup. */
export function revokeAllTokens(copy: Queries): void {
  copy.update(users).set({ tokensValidFrom: nextValidFrom() }).run()
}

/** The usernames of the accounts that were removed after the backup and therefore exist again. */
export function findReturningUsers(copy: Queries, replaced: Sqlite | undefined): string[] {
  if (replaced === undefined) return []
  const columns = replaced.query<{ name: string }, []>("select name from pragma_table_info('users')").all()
  // Releases before 1.2.0 kept nothing of a removed account.
  if (!columns.some(({ name }) => name === 'removed_at')) return []
  const removed = new Set(
    replaced
      .query<{ id: string }, []>('select id from users where removed_at is not null')
      .all()
      .map(({ id }) => id),
  )
  return copy
    .select({ id: users.id, username: users.username })
    .from(users)
    .where(isNull(users.removedAt))
    .orderBy(sql`lower(${users.username})`)
    .all()
    .filter(({ id }) => removed.has(id))
    .map(({ username }) => username)
}
