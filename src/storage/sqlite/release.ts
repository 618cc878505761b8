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

/**
 * Checks that this release knows all migrations of the database. It changes nothing.
 *
 * @throws NewerDatabase, which names both releases
 * @throws UnusableStorage if the database is not one of Parley's
 */
export function checkRelease(sqlite: Sqlite, file: string): void {
  const table = sqlite.query("select 1 from sqlite_schema where name = '__drizzle_migrations'").get()
  if (table === null) {
    throw new UnusableStorage(
      `DATA_DIR: ${file} is a database of another program. Move it away, or change DATA_DIR.`,
    )
  }
  const applied = sqlite.query<{ hash: string }, []>('select hash from __drizzle_migrations').all()
  const unknown = applied.filter(({ hash }) => !migrationTags.has(hash))
  if (unknown.length === 0) return
  const writer = newestRelease(sqlite)
  const newer = writer > encode(version) ? decode(writer) : `a release newer than ${version}`
  throw new NewerDatabase(
    `DATA_DIR: ${file} was written by Parley ${newer}; this is Parley ${version}, which does not know the ` +
      `migration ${unknown.map(({ hash }) => hash).join(', ')}. Run Parley ${newer} or newer, or restore the ` +
      'backup that was made before the upgrade. The file has not been changed.',
  )
}

/** Records that this release has opened the database, unless a newer one already has. */
export function recordRelease(sqlite: Sqlite): void {
  const own = encode(version)
  if (newestRelease(sqlite) < own) sqlite.run(`pragma user_version = ${own}`)
}
