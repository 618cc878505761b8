import type { BunSQLiteDatabase } from 'drizzle-orm/bun-sqlite'
import type { MigrationMeta } from 'drizzle-orm/migrator'
import initial from './migrations/0000_initial.sql' with { type: 'text' }
import journal from './migrations/meta/_journal.json'

/** By the tags of drizzle-kit's journal; imported, so that the compiled binary carries them. */
const texts: Readonly<Record<string, string>> = { '0000_initial': initial }

/** Drizzle's own migrator reads files, which a compiled binary has not; what it calls is marked internal. */
interface WithInternals {
  readonly dialect: { migrate(migrations: readonly MigrationMeta[], session: unknown): void }
  readonly session: unknown
}

/**
 * Applies the migrations that `database` has not seen, all or none.
 *
 * @throws Error where drizzle-kit wrote a migration that is not imported here
 */
export function migrate(database: BunSQLiteDatabase<Record<string, unknown>>): void {
  const migrations = journal.entries.map(({ tag, when, breakpoints }) => {
    const text = texts[tag]
    if (text === undefined) throw new Error(`Migration ${tag} is not imported`)
    return { sql: text.split('--> statement-breakpoint'), bps: breakpoints, folderMillis: when, hash: tag }
  })
  const { dialect, session } = database as unknown as WithInternals
  dialect.migrate(migrations, session)
}
