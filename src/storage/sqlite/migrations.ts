import type { BunSQLiteDatabase } from 'drizzle-orm/bun-sqlite'
import type { MigrationMeta } from 'drizzle-orm/migrator'
import initial from './migrations/0000_initial.sql' with { type: 'text' }
import accountLifecycle from './migrations/0001_account_lifecycle.sql' with { type: 'text' }
import rooms from './migrations/0002_rooms.sql' with { type: 'text' }
import journal from './migrations/meta/_journal.json'

/** The SQL of each migration, by the tag in drizzle-kit's journal. Imported, so that the compiled binary contains it. */
const texts: Readonly<Record<string, string>> = {
  '0000_initial': initial,
  '0001_account_lifecycle': accountLifecycle,
  '0002_rooms': rooms,
}

/** The migrations that this release knows. Drizzle's table of applied migrations contains these tags. */
export const migrationTags: ReadonlySet<string> = new Set(journal.entries.map(({ tag }) => tag))

/** Drizzle's migrator reads files, which a compiled binary does not have. The method that it calls is marked internal. */
interface WithInternals {
  readonly dialect: { migrate(migrations: readonly MigrationMeta[], session: unknown): void }
  readonly session: unknown
}

/**
 * Applies the pending migrations in one transaction.
 *
 * @throws Error if drizzle-kit wrote a migration that is not imported here
 */
export function migrate(database: BunSQLiteDatabase): void {
  const migrations = journal.entries.map(({ tag, when, breakpoints }) => {
    const text = texts[tag]
    if (text === undefined) throw new Error(`Migration ${tag} is not imported`)
    return { sql: text.split('--> statement-breakpoint'), bps: breakpoints, folderMillis: when, hash: tag }
  })
  const { dialect, session } = database as unknown as WithInternals
  dialect.migrate(migrations, session)
}
