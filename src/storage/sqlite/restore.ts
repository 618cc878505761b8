import { Database as Sqlite } from 'bun:sqlite'
import {
  chownSync,
  copyFileSync,
  createReadStream,
  createWriteStream,
  existsSync,
  linkSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { drizzle } from 'drizzle-orm/bun-sqlite'
import { openapi } from '../../contract/documents.ts'
import { UnusableStorage } from '../errors.ts'
import { checkFile, checkFolder } from '../file-access.ts'
import {
  commandBusyTimeoutMs,
  configureConnection,
  databaseFile,
  databaseFiles,
  explainOpening,
  type Queries,
} from './connection.ts'
import { countRows, type DatabaseCounts } from './counts.ts'
import { DamagedDatabase, findDamage, inspectFile } from './file-checks.ts'
import { FolderInUse, isFolderInUse, lockFile, lockFolder } from './folder-lock.ts'
import { migrate } from './migrations.ts'
import { describeNewerRelease, isParleyDatabase, recordRelease, unknownMigrations } from './release.ts'
import { syncFolderOf, syncPath, withTemporaryDatabase } from './temporary-file.ts'

export interface RestoreOptions<Result> {
  readonly dataDir: string
  /** The backup. It is not changed. */
  readonly file: string
  /**
   * Changes the copy of the backup before it becomes the database, in one transaction.
   *
   * @param replaced the database that is replaced; undefined if there is none or it cannot be read
   */
  readonly prepare: (copy: Queries, replaced: Sqlite | undefined) => Result
}

export interface Restored<Result> extends DatabaseCounts {
  /** Where the replaced database is; undefined if there was none. */
  readonly replaced: string | undefined
  readonly prepared: Result
}

/** Locks the folder, so that the service cannot start. */
function lockUnlessRunning(dataDir: string): Sqlite {
  try {
    return lockFolder(dataDir)
  } catch (error) {
    if (!(error instanceof FolderInUse)) throw explainOpening(error, lockFile(dataDir))
    throw new FolderInUse(
      `A service is running on ${dataDir}. Stop it before you restore a backup. Nothing was changed.`,
      { cause: error },
    )
  }
}

/** @throws UnusableStorage if the file cannot be a backup for this database */
function checkSource(file: string, database: string): void {
  const stats = statSync(file, { throwIfNoEntry: false })
  if (!stats?.isFile()) {
    throw new UnusableStorage(`${file} ${stats ? 'is not a file' : 'does not exist'}. Nothing was changed.`)
  }
  const target = statSync(database, { throwIfNoEntry: false })
  if (target && target.ino === stats.ino && target.dev === stats.dev) {
    throw new UnusableStorage(`${file} is the database itself. Nothing was changed.`)
  }
  if (basename(file) === basename(database) && isFolderInUse(dirname(file))) {
    throw new UnusableStorage(
      `${file} is the database of a running service. Write a backup of it first. Nothing was changed.`,
    )
  }
}

/** Copies the backup and, if it was copied together with its WAL, the WAL. */
async function copyBackup(file: string, copy: string): Promise<void> {
  await pipeline(createReadStream(file), createWriteStream(copy))
  if (existsSync(`${file}-wal`)) {
    await pipeline(createReadStream(`${file}-wal`), createWriteStream(`${copy}-wal`, { mode: 0o600 }))
  }
}

/** @throws UnusableStorage if the copy of `file` is not a complete database of this or an older release */
function checkCopy(sqlite: Sqlite, file: string): void {
  if (!isParleyDatabase(sqlite)) {
    throw new UnusableStorage(`${file} is a database of another program. Nothing was changed.`)
  }
  if (unknownMigrations(sqlite).length > 0) {
    throw new UnusableStorage(
      `${file} was written by Parley ${describeNewerRelease(sqlite)}; this is Parley ${openapi.info.version}. ` +
        'Restore it with that release or a newer one. Nothing was changed.',
    )
  }
  const finding = findDamage(sqlite, 'integrity_check')
  if (finding !== undefined) throw new DamagedDatabase(file, `is damaged (${finding})`)
}

/** Opens the copy of the backup and gives it the schema of this release. */
function openCopy(file: string, copy: string): Sqlite {
  inspectFile(copy)
  const sqlite = new Sqlite(copy, { readwrite: true, create: false, strict: true })
  try {
    configureConnection(sqlite, commandBusyTimeoutMs)
    sqlite.run('pragma temp_store = memory')
    checkCopy(sqlite, file)
    sqlite.run('pragma journal_mode = wal')
    migrate(drizzle(sqlite))
    recordRelease(sqlite)
    return sqlite
  } catch (error) {
    sqlite.close(false)
    throw error
  }
}

const isDamage = (error: unknown): boolean =>
  error instanceof DamagedDatabase ||
  /^SQLITE_(NOTADB|CORRUPT)/.test(String((error as { code?: unknown }).code))

/** Explains errors of the backup, whose copy is opened instead of it. */
function explainBackup(error: unknown, file: string): unknown {
  if (!isDamage(error)) return error
  const finding =
    error instanceof DamagedDatabase ? error.finding : `is damaged (${(error as Error).message})`
  return new UnusableStorage(`${file} ${finding}. Use another backup. Nothing was changed.`, { cause: error })
}

/** Opens the database that is replaced, and keeps all other programs away from it. */
function openReplaced(database: string): Sqlite | undefined {
  if (!existsSync(database)) return undefined
  let sqlite: Sqlite | undefined
  try {
    inspectFile(database)
    sqlite = new Sqlite(database, { readwrite: true, create: false })
    sqlite.run(`pragma busy_timeout = ${commandBusyTimeoutMs}`)
    sqlite.run('pragma locking_mode = exclusive')
    sqlite.run('begin exclusive')
    sqlite.run('commit')
    return sqlite
  } catch (error) {
    sqlite?.close(false)
    // What is damaged is kept, but not read.
    if (isDamage(error)) return undefined
    throw explainOpening(error, database)
  }
}

/**
 * Moves the WAL into the file and takes it out of WAL mode, so that the file is complete without companions,
 * and no command opens it before it is replaced.
 */
function completeReplaced(sqlite: Sqlite, file: string): void {
  sqlite.run('pragma wal_checkpoint(truncate)')
  sqlite.run('pragma journal_mode = delete')
  sqlite.close(false)
  // A connection in exclusive mode does not use it, and leaves what a killed service has left.
  rmSync(`${file}-shm`, { force: true })
}

function keepLink(path: string, kept: string): void {
  try {
    linkSync(path, kept)
  } catch (error) {
    if ((error as { code?: string }).code === 'EEXIST') throw error
    // The file system has no hard links.
    copyFileSync(path, kept)
    syncPath(kept)
  }
}

/** Keeps the present files under another name, and then replaces the database in one step. */
function replace(database: string, copy: string): string | undefined {
  const stamp = new Date().toISOString().replaceAll(/[-:]/g, '')
  const kept = join(dirname(database), `parley-replaced-${stamp}.sqlite`)
  const exists = existsSync(database)
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(database + suffix)) keepLink(database + suffix, kept + suffix)
  }
  syncFolderOf(database)
  // Only a damaged database still has them; they must not be applied to the new one.
  for (const suffix of ['-wal', '-shm']) rmSync(database + suffix, { force: true })
  renameSync(copy, database)
  syncFolderOf(database)
  return exists ? kept : undefined
}

/** Gives the file to the user of the service if the superuser restores the backup. */
function adoptOwner(path: string, model: string): void {
  if (process.getuid?.() !== 0) return
  const { uid, gid } = statSync(model)
  chownSync(path, uid, gid)
}

/**
 * Replaces the database by a backup. At every moment, `DATA_DIR` contains either the present database or the
 * restored one.
 *
 * @throws FolderInUse if the service is running
 * @throws UnusableStorage if the backup is not usable; nothing was changed
 */
export async function restoreDatabase<Result>({
  dataDir,
  file: path,
  prepare,
}: RestoreOptions<Result>): Promise<Restored<Result>> {
  const file = resolve(path)
  const database = databaseFile(dataDir)
  if (!existsSync(dataDir)) {
    throw new UnusableStorage(`DATA_DIR: ${dataDir} does not exist. Create it, or change DATA_DIR.`)
  }
  checkFolder({ path: dataDir, variable: 'DATA_DIR' })
  for (const each of [...databaseFiles(database), lockFile(dataDir)]) {
    checkFile({ path: each, variable: 'DATA_DIR' })
  }
  checkSource(file, database)
  const lock = lockUnlessRunning(dataDir)
  const copy = `${database}.restoring`
  try {
    adoptOwner(lockFile(dataDir), dataDir)
    // An interrupted restore may have left it behind.
    for (const each of databaseFiles(copy)) rmSync(each, { force: true })
    return await withTemporaryDatabase(copy, async () => {
      await copyBackup(file, copy)
      const { replaced, ...result } = prepareCopy({ file, copy, database, prepare })
      adoptOwner(copy, existsSync(database) ? database : dataDir)
      syncPath(copy)
      if (replaced) completeReplaced(replaced, database)
      return { ...result, replaced: replace(database, copy) }
    })
  } finally {
    lock.close(false)
  }
}

interface CopyOptions<Result> extends Pick<RestoreOptions<Result>, 'prepare'> {
  readonly file: string
  readonly copy: string
  readonly database: string
}

/** Checks and prepares the copy. Returns the opened database that it replaces. */
function prepareCopy<Result>({ file, copy, database, prepare }: CopyOptions<Result>) {
  let sqlite: Sqlite
  try {
    sqlite = openCopy(file, copy)
  } catch (error) {
    throw explainBackup(error, file)
  }
  let replaced: Sqlite | undefined
  try {
    replaced = openReplaced(database)
    const queries: Queries = drizzle(sqlite)
    const prepared = queries.transaction(() => prepare(queries, replaced), { behavior: 'immediate' })
    const counts = countRows(sqlite)
    sqlite.run('pragma wal_checkpoint(truncate)')
    return { ...counts, prepared, replaced }
  } catch (error) {
    replaced?.close(false)
    throw error
  } finally {
    // As the last connection, it removes the -wal and -shm files.
    sqlite.close(false)
  }
}
