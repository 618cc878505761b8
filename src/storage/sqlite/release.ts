import type { Database as Sqlite } from 'bun:sqlite'
import { openapi } from '../../contract/documents.ts'
import { UnusableStorage } from '../errors.ts'
import { migrationTags } from './migrations.ts'

/** `PRAGMA user_version` is a number of 32 bits: three decimal digits for each of minor and patch. */
const encode = (version: string): number => {
  const [major = 0, minor = 0, patch = 0] = version.split(/[.+-]/).map(Number)
  return major * 1_000_000 + minor * 1000 + patch
}
const decode = (number: number): string =>
  [Math.floor(number / 1_000_000), Math.floor(number / 1000) % 1000, number % 1000].join('.')

const { version } = openapi.info

const newestRelease = (sqlite: Sqlite): number =>
  sqlite.query<{ user_version: number }, []>('pragma user_version').get()?.user_version ?? 0

/** The database contains migrations that this release does not have. It has not been changed. */
export class NewerDatabase extends UnusableStorage {}

const appliedMigrations = (sqlite: Sqlite): string[] =>
  sqlite
    .query<{ hash: string }, []>('select hash from __drizzle_migrations')
    .all()
    .map(({ hash }) => hash)

/** Whether the database has the table of applied migrations, which other programs do not create. */
export const isParleyDatabase = (sqlite: Sqlite): boolean =>
  sqlite.query("select 1 from sqlite_schema where name = '__drizzle_migrations'").get() !== null

/** The migrations of the database that this release does not have. */
export const unknownMigrations = (sqlite: Sqlite): string[] =>
  appliedMigrations(sqlite).filter((tag) => !migrationTags.has(tag))

/** The version that wrote a database with unknown migrations. */
export function describeNewerRelease(sqlite: Sqlite): string {
  const writer = newestRelease(sqlite)
  return writer > encode(version) ? decode(writer) : `a release newer than ${version}`
}

/**
 * Checks that this release knows all migrations of the database. It changes nothing.
 *
 * @throws NewerDatabase, which names both releases
 * @throws UnusableStorage if the database is not one of Parley's
 */
export function checkRelease(sqlite: Sqlite, file: string): void {
  if (!isParleyDatabase(sqlite)) {
    throw new UnusableStorage(
      `DATA_DIR: ${file} is a database of another program. Move it away, or change DATA_DIR.`,
    )
  }
  const unknown = unknownMigrations(sqlite)
  if (unknown.length === 0) return
  const newer = describeNewerRelease(sqlite)
  throw new NewerDatabase(
    `DATA_DIR: ${file} was written by Parley ${newer}; this is Parley ${version}, which does not know the ` +
      `migration ${unknown.join(', ')}. Run Parley ${newer} or newer, or restore the ` +
      'backup that was made before the upgrade. The file has not been changed.',
  )
}

/** The migrations of this release that the database does not contain yet. */
export function pendingMigrations(sqlite: Sqlite): string[] {
  const applied = new Set(appliedMigrations(sqlite))
  return [...migrationTags].filter((tag) => !applied.has(tag))
}

/** The newest release that has opened the database. */
export function describeRelease(sqlite: Sqlite): string {
  const writer = newestRelease(sqlite)
  return writer === 0 ? 'Parley 1.0.0' : `Parley ${decode(writer)}`
}

/**
 * Checks that the database has all migrations of this release. It changes nothing.
 *
 * @throws UnusableStorage if migrations are pending
 */
export function requireMigrated(sqlite: Sqlite, file: string): void {
  const pending = pendingMigrations(sqlite)
  if (pending.length === 0) return
  throw new UnusableStorage(
    `DATA_DIR: ${file} was last used by ${describeRelease(sqlite)}; this is Parley ${version}. Start the ` +
      `service of this release, which applies the migration ${pending.join(', ')}, or use the commands of ` +
      `${describeRelease(sqlite)}.`,
  )
}

/** Records that this release has opened the database, unless a newer one already has. */
export function recordRelease(sqlite: Sqlite): void {
  const own = encode(version)
  if (newestRelease(sqlite) < own) sqlite.run(`pragma user_version = ${own}`)
}
