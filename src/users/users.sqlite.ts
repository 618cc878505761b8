import { and, asc, eq, gt, isNull, sql } from 'drizzle-orm'
import { once } from '../once.ts'
import type { ChangeCounter } from '../storage/sqlite/change-counter.ts'
import type { Queries, RunOnDatabase } from '../storage/sqlite/connection.ts'
import { sqliteCode, withStorageErrors } from '../storage/sqlite/errors.ts'
import { users } from '../storage/sqlite/schema.ts'
import { toAccount } from './account-row.ts'
import type { Users } from './users.ts'

interface SqliteUsersOptions {
  readonly queries: Queries
  /** Runs each change; the connection's checks that the database file is still in place. */
  readonly write?: RunOnDatabase
  readonly changes: ChangeCounter
}

// SQLite's lower() handles ASCII only. JavaScript's would also map the Kelvin sign to "k".
const lowerUsername = sql`lower(${users.username})`
const lowerPlaceholder = sql`lower(${sql.placeholder('username')})`
const accountColumns = {
  id: users.id,
  username: users.username,
  tokensValidFrom: users.tokensValidFrom,
}
const recordColumns = { ...accountColumns, createdAt: users.createdAt, removedAt: users.removedAt }

/** A new value for `tokensValidFrom`. Never one that the account already had, even if the clock is set back. */
export const nextValidFrom = () => sql`max(${users.tokensValidFrom} + 1, ${Date.now()})`

/** The accounts in SQLite. Every method is synchronous. */
export function createSqliteUsers({
  queries,
  write = withStorageErrors,
  changes,
}: SqliteUsersOptions): Users {
  // Prepared at their first use, because preparing them delays the start.
  const byId = once(() =>
    queries
      .select(accountColumns)
      .from(users)
      .where(and(eq(users.id, sql.placeholder('id')), isNull(users.removedAt)))
      .prepare(),
  )
  const byUsername = once(() =>
    queries
      .select({ ...accountColumns, passwordHash: users.passwordHash })
      .from(users)
      .where(and(eq(lowerUsername, lowerPlaceholder), isNull(users.removedAt)))
      .prepare(),
  )
  const recordByUsername = once(() =>
    queries.select(recordColumns).from(users).where(eq(lowerUsername, lowerPlaceholder)).prepare(),
  )

  type Change = Partial<
    Pick<typeof users.$inferInsert, 'passwordHash' | 'removedAt' | 'erasesMessages' | 'leavesRooms'>
  >

  /** Changes an account that has not been removed. @param from the password hash that it must have, if set */
  function change(id: string, from: string | undefined, values: Change, revokesTokens: boolean) {
    const changed = write(() =>
      queries
        .update(users)
        .set({ ...values, ...(revokesTokens && { tokensValidFrom: nextValidFrom() }) })
        .where(
          and(
            eq(users.id, id),
            isNull(users.removedAt),
            from === undefined ? undefined : eq(users.passwordHash, from),
          ),
        )
        .returning(accountColumns)
        .all(),
    )
    if (changed.length > 0) changes.countOwn()
    return changed[0]
  }

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
    find(id) {
      const row = withStorageErrors(() => byId().get({ id }))
      return row && toAccount(row)
    },
    findCredentials(username) {
      const row = withStorageErrors(() => byUsername().get({ username }))
      return row && { ...toAccount(row), passwordHash: row.passwordHash }
    },
    isTaken: (username) => withStorageErrors(() => recordByUsername().get({ username })) !== undefined,
    rehash: (id, { from, to }) => change(id, from, { passwordHash: to }, false) !== undefined,
    changePassword(id, { from, to }) {
      const row = change(id, from, { passwordHash: to }, true)
      return row && toAccount(row)
    },
    revokeTokens: (id) => change(id, undefined, {}, true) !== undefined,
    remove: (id, { passwordHash, eraseMessages }) =>
      change(
        id,
        passwordHash,
        { passwordHash: '', removedAt: Date.now(), erasesMessages: eraseMessages, leavesRooms: true },
        true,
      ) !== undefined,
    findRecord: (username) => withStorageErrors(() => recordByUsername().get({ username })),
    list: (after, limit) =>
      withStorageErrors(() =>
        queries
          .select(recordColumns)
          .from(users)
          .where(after === undefined ? undefined : gt(lowerUsername, sql`lower(${after})`))
          .orderBy(asc(lowerUsername))
          .limit(limit)
          .all(),
      ),
    version: changes.version,
  }
}
