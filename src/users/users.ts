import { eq, sql } from 'drizzle-orm'
import type { Database } from '../database/open-database.ts'
import { users } from '../database/schema.ts'
import { onStorage, sqliteCode } from '../database/storage.ts'
import { createBoundedMap } from '../limits/bounded-map.ts'

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

/** Accounts that are remembered; an entry is some 200 bytes. */
const memorySize = 20_000

/** The accounts. Every method throws StorageUnavailable where the storage fails for now. */
export function createUsers({ queries, dataVersion }: Pick<Database, 'queries' | 'dataVersion'>): Users {
  // Nothing here changes or removes what is remembered, so it holds until somebody else has written.
  const remembered = createBoundedMap<string, User>(memorySize)
  let rememberedVersion = 0
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
        const version = dataVersion()
        if (version !== rememberedVersion) remembered.clear()
        rememberedVersion = version
        const known = remembered.get(id)
        if (known) return known
        const found = byId.get({ id })
        if (found) remembered.set(id, found)
        return found
      })
    },
    findCredentials,
    isTaken: (username) => findCredentials(username) !== undefined,
    changePasswordHash(id, passwordHash) {
      onStorage(() => queries.update(users).set({ passwordHash }).where(eq(users.id, id)).run())
    },
  }
}
