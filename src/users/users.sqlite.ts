import { eq, sql } from 'drizzle-orm'
import type { Queries, RunOnDatabase } from '../storage/sqlite/connection.ts'
import { createDataVersion } from '../storage/sqlite/data-version.ts'
import { sqliteCode, withStorageErrors } from '../storage/sqlite/errors.ts'
import { users } from '../storage/sqlite/schema.ts'
import type { Users } from './users.ts'

/**
 * The accounts in SQLite. Every method is synchronous.
 *
 * @param write runs each change; the connection's checks that the database file is still in place
 */
export function createSqliteUsers(queries: Queries, write: RunOnDatabase = withStorageErrors): Users {
  const byId = queries
    .select({ id: users.id, username: users.username })
    .from(users)
    .where(eq(users.id, sql.placeholder('id')))
    .prepare()
  // SQLite's lower() handles ASCII only. JavaScript's would also map the Kelvin sign to "k".
  const byUsername = queries
    .select({ id: users.id, username: users.username, passwordHash: users.passwordHash })
    .from(users)
    .where(eq(sql`lower(${users.username})`, sql`lower(${sql.placeholder('username')})`))
    .prepare()
  const dataVersion = createDataVersion(queries.$client)
  // `data_version` ignores the commits of its own connection, so this process counts its own changes.
  let ownChanges = 0
  let lastDataVersion = dataVersion()
  let otherChanges = 0

  return {
    add(username, passwordHash) {
      const user = { id: Bun.randomUUIDv7(), username }
      try {
        write(() =>
          queries
            .insert(users)
            .values({ ...user, passwordHash, createdAt: Date.now() })
            .run(),
        )
      } catch (error) {
        if (sqliteCode(error) === 'SQLITE_CONSTRAINT_UNIQUE') return undefined
        throw error
      }
      return user
    },
    find: (id) => withStorageErrors(() => byId.get({ id })),
    findCredentials: (username) => withStorageErrors(() => byUsername.get({ username })),
    changePasswordHash(id, passwordHash) {
      write(() => queries.update(users).set({ passwordHash }).where(eq(users.id, id)).run())
      ownChanges++
    },
    remove(id) {
      const removed = write(() =>
        queries.delete(users).where(eq(users.id, id)).returning({ id: users.id }).all(),
      )
      ownChanges++
      return removed.length > 0
    },
    version() {
      const current = withStorageErrors(dataVersion)
      if (current !== lastDataVersion) {
        lastDataVersion = current
        otherChanges++
      }
      return ownChanges + otherChanges
    },
  }
}
