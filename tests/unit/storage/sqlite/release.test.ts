import { Database as Sqlite } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openapi } from '../../../../src/contract/documents.ts'
import { openSqlite } from '../../../../src/storage/sqlite/connection.ts'
import { NewerDatabase } from '../../../../src/storage/sqlite/release.ts'
import { temporaryFolder } from '../../support/service.ts'

const { version } = openapi.info

/** Creates a database and changes it with `statements`. */
async function prepare(path: string, ...statements: string[]): Promise<string> {
  openSqlite(path).close()
  const file = join(path, 'parley.sqlite')
  const sqlite = new Sqlite(file)
  for (const statement of statements) sqlite.run(statement)
  // So that the file itself contains everything.
  sqlite.run('pragma wal_checkpoint(truncate)')
  sqlite.close()
  return file
}

const userVersion = (file: string) => {
  using sqlite = new Sqlite(file, { readonly: true })
  return (sqlite.query('pragma user_version').get() as { user_version: number }).user_version
}

const unknownMigration =
  "insert into __drizzle_migrations (hash, created_at) values ('0009_from_the_future', 9999999999999)"

test('a database with an unknown migration is refused, with both versions, and is not changed', async () => {
  await using folder = await temporaryFolder()
  const file = await prepare(folder.path, unknownMigration, 'pragma user_version = 12034056')
  const before = await readFile(file)
  expect(() => openSqlite(folder.path)).toThrow(NewerDatabase)
  expect(() => openSqlite(folder.path)).toThrow(
    `DATA_DIR: ${file} was written by Parley 12.34.56; this is Parley ${version}, which does not know the ` +
      'migration 0009_from_the_future. Run Parley 12.34.56 or newer, or restore the backup that was made ' +
      'before the upgrade. The file has not been changed.',
  )
  expect((await readFile(file)).equals(before)).toBe(true)
})

test('without a recorded version the message says that the release is newer', async () => {
  await using folder = await temporaryFolder()
  await prepare(folder.path, unknownMigration, 'pragma user_version = 0')
  expect(() => openSqlite(folder.path)).toThrow(`a release newer than ${version}; this is Parley ${version}`)
})

test('the newest release that opened the database is recorded', async () => {
  await using folder = await temporaryFolder()
  const file = await prepare(folder.path)
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  const own = major * 1_000_000 + minor * 1000 + patch
  expect(userVersion(file)).toBe(own)
  // A release before this record, such as 1.0.0, wrote none.
  await prepare(folder.path, 'pragma user_version = 0')
  openSqlite(folder.path).close()
  expect(userVersion(file)).toBe(own)
  // A newer release without a migration does not prevent the way back, and remains recorded.
  await prepare(folder.path, 'pragma user_version = 12034056')
  openSqlite(folder.path).close()
  expect(userVersion(file)).toBe(12_034_056)
})
