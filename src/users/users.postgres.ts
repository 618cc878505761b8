import { and, asc, eq, gt, isNull, sql } from 'drizzle-orm'
import type { ChangeFeed } from '../storage/postgres/change-feed.ts'
import { sqlState } from '../storage/postgres/errors.ts'
import type { Pool, Queries } from '../storage/postgres/pool.ts'
import { users } from '../storage/postgres/schema.ts'
import { toAccount } from './account-row.ts'
import type { Users } from './users.ts'

interface PostgresUsersOptions {
  readonly pool: Pool
  readonly feed: Pick<ChangeFeed, 'version' | 'countOwn'>
}

// In the collation "C", lower() changes only ASCII letters. Another one could map the Kelvin sign to "k".
const lowerUsername = sql`lower(${users.username} collate "C")`
const lower = (username: string) => sql`lower(${username}::text collate "C")`

const accountColumns = {
  id: users.id,
  username: users.username,
  tokensValidFrom: users.tokensValidFrom,
}
const recordColumns = { ...accountColumns, createdAt: users.createdAt, removedAt: users.removedAt }

/** A new value for `tokensValidFrom`. Never one that the account already had, even if the clock is set back. */
const nextValidFrom = () => sql`greatest(${users.tokensValidFrom} + 1, ${Date.now()}::bigint)`

const uniqueViolation = '23505'

/** The accounts in PostgreSQL, for all nodes. */
export function createPostgresUsers({ pool, feed }: PostgresUsersOptions): Users {
  type Change = Partial<
    Pick<typeof users.$inferInsert, 'passwordHash' | 'removedAt' | 'erasesMessages' | 'leavesRooms'>
  >

  /** Changes an account that has not been removed. @param from the password hash that it must have, if set */
  async function change(id: string, from: string | undefined, values: Change, revokesTokens: boolean) {
    try {
      const [changed] = await pool.write(async (queries) =>
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
          .returning(accountColumns),
      )
      if (changed) feed.countOwn()
      return changed
    } catch (error) {
      // If the outcome is unknown, the account may have changed.
      feed.countOwn()
      throw error
    }
  }

  async function findRecord(queries: Queries, username: string) {
    const [record] = await queries
      .select(recordColumns)
      .from(users)
      .where(eq(lowerUsername, lower(username)))
    return record
  }

  return {
    async add(username, passwordHash) {
      const user = { id: Bun.randomUUIDv7(), username }
      try {
        await pool.write(async (queries) =>
          queries.insert(users).values({ ...user, passwordHash, createdAt: Date.now() }),
        )
      } catch (error) {
        if (sqlState(error) === uniqueViolation) return undefined
        throw error
      }
      return user
    },
    async find(id) {
      const [row] = await pool.read(async (queries) =>
        queries
          .select(accountColumns)
          .from(users)
          .where(and(eq(users.id, id), isNull(users.removedAt))),
      )
      return row && toAccount(row)
    },
    async findCredentials(username) {
      const [row] = await pool.read(async (queries) =>
        queries
          .select({ ...accountColumns, passwordHash: users.passwordHash })
          .from(users)
          .where(and(eq(lowerUsername, lower(username)), isNull(users.removedAt))),
      )
      return row && { ...toAccount(row), passwordHash: row.passwordHash }
    },
    isTaken: async (username) => (await pool.read((queries) => findRecord(queries, username))) !== undefined,
    rehash: async (id, { from, to }) => (await change(id, from, { passwordHash: to }, false)) !== undefined,
    async changePassword(id, { from, to }) {
      const row = await change(id, from, { passwordHash: to }, true)
      return row && toAccount(row)
    },
    revokeTokens: async (id) => (await change(id, undefined, {}, true)) !== undefined,
    async remove(id, { passwordHash, eraseMessages }) {
      const values = {
        passwordHash: '',
        removedAt: Date.now(),
        erasesMessages: eraseMessages,
        leavesRooms: true,
      }
      return (await change(id, passwordHash, values, true)) !== undefined
    },
    findRecord: (username) => pool.read((queries) => findRecord(queries, username)),
    list: (after, limit) =>
      pool.read(async (queries) =>
        queries
          .select(recordColumns)
          .from(users)
          .where(after === undefined ? undefined : gt(lowerUsername, lower(after)))
          .orderBy(asc(lowerUsername))
          .limit(limit),
      ),
    version: feed.version,
  }
}
