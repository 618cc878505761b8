import { eq, sql } from 'drizzle-orm'
import type { Database } from '../database/open-database.ts'
import { users } from '../database/schema.ts'
import { onStorage, sqliteCode } from '../database/storage.ts'

export interface User {
  readonly id: string
  readonly username: string
}

export interface Credentials extends User {
  readonly passwordHash: string
}

export interface Users {
  /** The new user, or undefined where the username is taken, in whatever case. */
  add(username: string, passwordHash: string): User | undefined
  find(id: string): User | undefined
  /** @param username in whatever case */
  findCredentials(username: string): Credentials | undefined
  isTaken(username: string): boolean
  changePasswordHash(id: string, passwordHash: string): void
}

/** The accounts. Every method throws StorageUnavailable where the storage fails for now. */
export function createUsers({ queries, reader }: Pick<Database, 'queries' | 'reader'>): Users {
  const byId = reader.queries
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
      // Asked at each request: the row as it comes costs half of what Drizzle's mapping makes of it.
      const [row] = onStorage(() => {
        reader.begin()
        return byId.values({ id })
      }) as [id: string, username: string][]
      return row && { id: row[0], username: row[1] }
    },
    findCredentials,
    isTaken: (username) => findCredentials(username) !== undefined,
    changePasswordHash(id, passwordHash) {
      onStorage(() => queries.update(users).set({ passwordHash }).where(eq(users.id, id)).run())
    },
  }
}
