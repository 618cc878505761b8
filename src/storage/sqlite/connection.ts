import { Database as Sqlite } from 'bun:sqlite'
import { chmodSync, existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type BunSQLiteDatabase, drizzle } from 'drizzle-orm/bun-sqlite'
import type { ReadinessCode } from '../../contract/types.gen.ts'
import { type LostStorage, UnusableStorage } from '../errors.ts'
import { checkFile, explainAccess, prepareFolder } from '../file-access.ts'
import { type Changes, createChanges, createWrite } from './changes.ts'
import { isTransient, sqliteCode } from './errors.ts'
import { checkPages, DamagedDatabase, inspectFile, missingFile } from './file-checks.ts'
import { createFileGuard } from './file-guard.ts'
import { lockFile, lockFolder } from './folder-lock.ts'
import { migrate } from './migrations.ts'
import { checkRelease, pendingMigrations, recordRelease, requireMigrated } from './release.ts'
import { syncFolderOf } from './temporary-file.ts'
import { openWal } from './wal.ts'

export type Queries = BunSQLiteDatabase & { readonly $client: Sqlite }

/** Runs `work` on the database. @throws StorageUnavailable */
export type RunOnDatabase = <Result>(work: () => Result) => Result

export interface SqliteConnection extends Pick<Changes, 'write' | 'commit'> {
  readonly queries: Queries
  /** Why the database cannot be used now, or only be read: codes of the document. */
  unmet(): readonly ReadinessCode[]
  /**
   * Closes the database.
   *
   * @param onError called if the changes could not be moved from the WAL to the database file, for example on
   *   a full disk. Nothing is lost: the WAL remains, and the next start reads it.
   */
  close(onError?: (error: unknown) => void): void
}

/** Short, because SQLite blocks the thread that serves all requests. The client can retry. */
const busyTimeoutMs = 100

/** A command blocks no requests, and waits for the commits of the service. */
export const commandBusyTimeoutMs = 5000

/** The database and its companions. */
export const databaseFiles = (file: string): string[] => [file, `${file}-wal`, `${file}-shm`]

export const databaseFile = (dataDir: string): string => join(dataDir, 'parley.sqlite')

/**
 * Creates the database under a temporary name and renames it once it is complete, so that a crash leaves
 * no partial file that the next start would report as damaged.
 */
function createFile(file: string): void {
  if (existsSync(`${file}-wal`)) {
    throw new DamagedDatabase(file, missingFile)
  }
  const unfinished = `${file}.new`
  rmSync(unfinished, { force: true })
  rmSync(`${unfinished}-journal`, { force: true })
  const sqlite = new Sqlite(unfinished, { create: true, strict: true })
  try {
    // Not in WAL mode yet, so that the renamed file contains everything.
    sqlite.run('pragma synchronous = full')
    migrate(drizzle(sqlite))
  } finally {
    sqlite.close(false)
  }
  renameSync(unfinished, file)
  syncFolderOf(file)
}

/** The settings that a connection does not find in the file. */
export function configureConnection(sqlite: Sqlite, timeoutMs: number): void {
  sqlite.run(`pragma busy_timeout = ${timeoutMs}`)
  sqlite.run('pragma synchronous = full')
  sqlite.run('pragma foreign_keys = on')
  // Overwrites what is removed, such as erased messages. Always on, because SQLite also leaves copies of rows
  // behind when it moves them between pages. It costs nothing measurable.
  sqlite.run('pragma secure_delete = on')
}

/** What prevents the use of `file`, for the operator. */
export function explainOpening(error: unknown, file: string): unknown {
  if (error instanceof UnusableStorage) return error
  const { code } = error as { code?: unknown }
  if (code === 'SQLITE_NOTADB' || String(code).startsWith('SQLITE_CORRUPT')) {
    return new DamagedDatabase(file, `is damaged (${(error as Error).message})`, error)
  }
  // An error without a code is a fault of the program, and its own message says most.
  return code === undefined ? error : explainAccess(error, { path: file, variable: 'DATA_DIR' })
}

function openFile(file: string): Sqlite {
  if (existsSync(file)) inspectFile(file)
  else createFile(file)
  const sqlite = new Sqlite(file, { readwrite: true, create: false, strict: true })
  try {
    sqlite.run(`pragma busy_timeout = ${busyTimeoutMs}`)
    checkRelease(sqlite, file)
    chmodSync(file, 0o600)
    sqlite.run('pragma journal_mode = wal')
    configureConnection(sqlite, busyTimeoutMs)
    checkPages(sqlite, file)
    if (pendingMigrations(sqlite).length > 0) migrate(drizzle(sqlite))
    recordRelease(sqlite)
    return sqlite
  } catch (error) {
    sqlite.close(false)
    throw error
  }
}

function openLockedFile(dataDir: string, file: string): { sqlite: Sqlite; lock: Sqlite } {
  const files = [...databaseFiles(file), lockFile(dataDir)]
  prepareFolder({ path: dataDir, variable: 'DATA_DIR' })
  for (const path of files) checkFile({ path, variable: 'DATA_DIR' })
  const lock = lockFolder(dataDir)
  try {
    return { sqlite: openFile(file), lock }
  } catch (error) {
    lock.close(false)
    throw error
  }
}

/**
 * Moves what a killed process has left in the WAL to the database file. It may not be on the disk yet, and clients are
 * about to read it. If the disk is full, the WAL is flushed nevertheless.
 */
function moveLeftovers(sqlite: Sqlite): void {
  try {
    sqlite.run('pragma wal_checkpoint(truncate)')
  } catch (error) {
    if (!isTransient(error) || sqliteCode(error)?.endsWith('FSYNC')) throw error
  }
}

export interface OpenOptions {
  /** Called once if nothing can be stored any more: the files were removed or replaced, or the disk failed. */
  readonly onLost?: (error: LostStorage) => void
  readonly openWal?: typeof openWal
}

/**
 * Opens `parley.sqlite` in `dataDir`, creates it if it does not exist, and applies pending migrations.
 *
 * @throws UnusableStorage: DamagedDatabase if the file is damaged (it is never replaced by an empty one),
 *   FolderInUse if another process has opened it, NewerDatabase if a newer release has written it
 */
export function openSqlite(
  dataDir: string,
  { onLost = () => {}, openWal: open = openWal }: OpenOptions = {},
): SqliteConnection {
  const file = databaseFile(dataDir)
  try {
    const { sqlite, lock } = openLockedFile(dataDir, file)
    const ping = sqlite.prepare('select count(*) from (select 1 from users limit 1)')
    // The first read creates the -wal and -shm files.
    ping.get()
    moveLeftovers(sqlite)
    const guard = createFileGuard({ file, onLost })
    const wal = open(`${file}-wal`)
    const changes = createChanges({ sqlite, wal, guard })
    return {
      queries: drizzle(sqlite),
      write: changes.write,
      commit: changes.commit,
      unmet() {
        if (!guard.isIntact()) return ['storage-lost']
        try {
          ping.get()
        } catch {
          return ['storage-unreachable']
        }
        return changes.failed() ? ['changes-fail'] : []
      },
      close(onError = () => {}) {
        try {
          // A checkpoint of files that were replaced could write to the new ones.
          if (guard.isIntact()) sqlite.run('pragma wal_checkpoint(truncate)')
        } catch (error) {
          const { message } = error as Error
          onError(new Error(`The WAL remains, because the checkpoint failed: ${message}`, { cause: error }))
        }
        wal.close()
        sqlite.close(false)
        lock.close(false)
      },
    }
  } catch (error) {
    throw explainOpening(error, file)
  }
}

/** Opens the file of a database that the service may be using. */
function openExistingFile(file: string, options: object = { readwrite: true, create: false }): Sqlite {
  for (const path of databaseFiles(file)) checkFile({ path, variable: 'DATA_DIR' })
  inspectFile(file)
  const sqlite = new Sqlite(file, { ...options, strict: true })
  try {
    configureConnection(sqlite, commandBusyTimeoutMs)
    checkRelease(sqlite, file)
    requireMigrated(sqlite, file)
    const mode = sqlite.query<{ journal_mode: string }, []>('pragma journal_mode').get()?.journal_mode
    // Only a restore takes the database out of this mode, immediately before it replaces the file.
    if (mode !== 'wal') {
      throw new UnusableStorage(
        `DATA_DIR: ${file} is being replaced by a backup, or a restore was interrupted. Wait for the restore ` +
          'to end, repeat it, or start the service, which continues with this database.',
      )
    }
    // The first read creates the -wal and -shm files if the service is not running.
    sqlite.query('select 1 from users').get()
    return sqlite
  } catch (error) {
    sqlite.close(false)
    throw error
  }
}

/**
 * Opens the database in `dataDir` for a command. It takes no lock of the folder, so that the service may run,
 * creates no database and applies no migrations.
 *
 * @throws UnusableStorage if there is no database, or if it is damaged or belongs to another release
 */
export function openExistingSqlite(dataDir: string): Omit<SqliteConnection, 'commit'> {
  const file = databaseFile(dataDir)
  requireDatabase(dataDir)
  try {
    const sqlite = openExistingFile(file)
    const guard = createFileGuard({ file, onLost: () => {} })
    return {
      queries: drizzle(sqlite),
      write: createWrite(guard),
      unmet: () => (guard.isIntact() ? [] : ['storage-lost']),
      close: () => sqlite.close(false),
    }
  } catch (error) {
    throw explainOpening(error, file)
  }
}

/**
 * Runs `work` on the database in `dataDir` without changing its file, while no service can use the folder.
 *
 * @throws UnusableStorage if a service is running, there is no database, or it is damaged or of another release
 */
export async function readStoppedSqlite<Result>(
  dataDir: string,
  work: (sqlite: Sqlite) => Promise<Result>,
): Promise<Result> {
  const file = databaseFile(dataDir)
  requireDatabase(dataDir)
  const lock = lockFolder(dataDir)
  try {
    // A connection that only reads does not move the WAL into the file when it is closed.
    const sqlite = openExistingFile(file, { readonly: true })
    try {
      return await work(sqlite)
    } finally {
      sqlite.close(false)
    }
  } catch (error) {
    throw explainOpening(error, file)
  } finally {
    lock.close(false)
  }
}

/** @throws UnusableStorage if the folder or the database does not exist */
export function requireDatabase(dataDir: string): void {
  const missing = [dataDir, databaseFile(dataDir)].find((path) => !existsSync(path))
  if (missing === undefined) return
  throw new UnusableStorage(
    `DATA_DIR: ${missing} does not exist. Set DATA_DIR to the data folder of the service, or start the service ` +
      'once to create its database.',
  )
}
