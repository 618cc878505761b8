import { eq, sql } from 'drizzle-orm'
import type { Database } from '../database/open-database.ts'
import { users } from '../database/schema.ts'
import { onStorage, sqliteCode } from '../database/storage.ts'

export interface User {
  readonly id: string
  readonly username: string
}

/** A user that is worth keeping while it may come back. */
export interface Account {
  user: User
  /** Of the database, when the user was last read from it. */
  dataVersion: number
}

export interface Credentials extends User {
  readonly passwordHash: string
}

export interface Users {
  /** The new user, or undefined where the username is taken, in whatever case. */
  add(username: string, passwordHash: string): User | undefined
  find(id: string): Account | undefined
  /** Brings `account` up to date, which reads it only where another program has written; false where it is gone. */
  refresh(account: Account): boolean
  /** @param username in whatever case */
  findCredentials(username: string): Credentials | undefined
  isTaken(username: string): boolean
  changePasswordHash(id: string, passwordHash: string): void
}

/** The accounts. Every method throws StorageUnavailable where the storage fails for now. */
export function createUsers({ queries, dataVersion }: Pick<Database, 'queries' | 'dataVersion'>): Users {
  const byId = queries
    .select({ id: users.id, username: users.username })
    .from(users)
    .where(eq(users.id, sql.placeholder('id')))
    .prepare()
  const byUsername = queries
    .select({ id: users.id, username: users.username, passwordHash: users.passwordHash })
    .from(users)
    .where(eq(sql`lower(${users.username})`, sql`lower(${sql.placeholder('username')})`))
    .prepare()
  // Lower case by SQLite, which knows ASCII only: JavaScript's takes the Kelvin sign for a k.
  const findCredentials = (username: string) => onStorage(() => byUsername.get({ username }))

  return {
    add(username, passwordHash) {
      const user = { id: Bun.randomUUIDv7(), username }
      try {
        onStorage(() =>
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
      return onStorage(() => {
        // Before the read: what is written in between is noticed the next time.
        const version = dataVersion()
        const user = byId.get({ id })
        return user && { user, dataVersion: version }
      })
    },
    // Nothing here changes or removes a user, so one that was read holds until somebody else has written.
    refresh(account) {
      return onStorage(() => {
        const version = dataVersion()
        if (account.dataVersion === version) return true
        const user = byId.get({ id: account.user.id })
        if (!user) return false
        account.user = user
        account.dataVersion = version
        return true
      })
    },
    findCredentials,
    isTaken: (username) => findCredentials(username) !== undefined,
    changePasswordHash(id, passwordHash) {
      onStorage(() => queries.update(users).set({ passwordHash }).where(eq(users.id, id)).run())
    },
  }
}
