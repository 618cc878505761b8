import { Database as Sqlite } from 'bun:sqlite'
import { chmodSync, closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type BunSQLiteDatabase, drizzle } from 'drizzle-orm/bun-sqlite'
import { type LostStorage, UnusableStorage } from '../errors.ts'
import { checkFile, explainAccess, prepareFolder } from '../file-access.ts'
import { withStorageErrors } from './errors.ts'
import { checkPages, DamagedDatabase, inspectFile } from './file-checks.ts'
import { createFileGuard } from './file-guard.ts'
import { migrate } from './migrations.ts'
import { checkRelease, recordRelease } from './release.ts'
import * as schema from './schema.ts'

export type Queries = BunSQLiteDatabase<typeof schema> & { readonly $client: Sqlite }

/** Runs `work` on the database. @throws StorageUnavailable */
export type RunOnDatabase = <Result>(work: () => Result) => Result

export interface SqliteConnection {
  readonly queries: Queries
  /** Runs `work`, which changes the database. It returns only if the change is durable in the data folder. */
  readonly write: RunOnDatabase
  /** Whether the database can be read now, and is still the one that was opened. */
  isReady(): boolean
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

/** Another process uses this data folder. */
export class FolderInUse extends UnusableStorage {}

/**
 * Locks `dataDir` for this process; the operating system releases the lock when the process ends. Two
 * processes would assign the same sequences to different messages.
 */
function lockFolder(dataDir: string): Sqlite {
  const lock = new Sqlite(join(dataDir, 'parley.lock'), { create: true })
  try {
    // The lock is released when this object is garbage-collected, so the connection keeps a reference.
    lock.run('begin exclusive')
    return lock
  } catch (error) {
    lock.close(false)
    if ((error as { code?: unknown }).code !== 'SQLITE_BUSY') throw error
    throw new FolderInUse(`Another process serves from ${dataDir}. Stop it, or set DATA_DIR.`, {
      cause: error,
    })
  }
}

/**
 * Creates the database under a temporary name and renames it once it is complete, so that a crash leaves
 * no partial file that the next start would report as damaged.
 */
function createFile(dataDir: string, file: string): void {
  if (existsSync(`${file}-wal`)) {
    throw new DamagedDatabase(file, 'is missing, but its -wal file with the most recent changes exists')
  }
  const unfinished = `${file}.new`
  rmSync(unfinished, { force: true })
  rmSync(`${unfinished}-journal`, { force: true })
  const sqlite = new Sqlite(unfinished, { create: true, strict: true })
  try {
    // Not in WAL mode yet, so that the renamed file contains everything.
    sqlite.run('pragma synchronous = full')
    migrate(drizzle(sqlite, { schema }))
  } finally {
    sqlite.close(false)
  }
  renameSync(unfinished, file)
  const folder = openSync(dataDir, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

function configure(sqlite: Sqlite): void {
  sqlite.run(`pragma busy_timeout = ${busyTimeoutMs}`)
  sqlite.run('pragma journal_mode = wal')
  sqlite.run('pragma synchronous = full')
  sqlite.run('pragma foreign_keys = on')
  // Overwrites what is removed, such as erased messages. Always on, because SQLite also leaves copies of rows
  // behind when it moves them between pages. It costs nothing measurable.
  sqlite.run('pragma secure_delete = on')
}

/** What prevents the service from using `file`, for the operator. */
function explainOpening(error: unknown, file: string): unknown {
  if (error instanceof UnusableStorage) return error
  const { code } = error as { code?: unknown }
  if (code === 'SQLITE_NOTADB' || String(code).startsWith('SQLITE_CORRUPT')) {
    return new DamagedDatabase(file, `is damaged (${(error as Error).message})`, error)
  }
  // An error without a code is a fault of the program, and its own message says most.
  return code === undefined ? error : explainAccess(error, { path: file, variable: 'DATA_DIR' })
}

function openFile(dataDir: string, file: string): Sqlite {
  if (existsSync(file)) inspectFile(file)
  else createFile(dataDir, file)
  const sqlite = new Sqlite(file, { readwrite: true, create: false, strict: true })
  try {
    sqlite.run(`pragma busy_timeout = ${busyTimeoutMs}`)
    checkRelease(sqlite, file)
    chmodSync(file, 0o600)
    configure(sqlite)
    checkPages(sqlite, file)
    migrate(drizzle(sqlite, { schema }))
    recordRelease(sqlite)
    return sqlite
  } catch (error) {
    sqlite.close(false)
    throw error
  }
}

function openLockedFile(dataDir: string, file: string): { sqlite: Sqlite; lock: Sqlite } {
  const files = [file, `${file}-wal`, `${file}-shm`, join(dataDir, 'parley.lock')]
  prepareFolder({ path: dataDir, variable: 'DATA_DIR' })
  for (const path of files) checkFile({ path, variable: 'DATA_DIR' })
  const lock = lockFolder(dataDir)
  try {
    return { sqlite: openFile(dataDir, file), lock }
  } catch (error) {
    lock.close(false)
    throw error
  }
}

/**
 * Opens `parley.sqlite` in `dataDir`, creates it if it does not exist, and applies pending migrations.
 *
 * @param onLost called once if the files are removed or replaced while they are open
 * @throws UnusableStorage: DamagedDatabase if the file is damaged (it is never replaced by an empty one),
 *   FolderInUse if another process has opened it, NewerDatabase if a newer release has written it
 */
export function openSqlite(
  dataDir: string,
  onLost: (error: LostStorage) => void = () => {},
): SqliteConnection {
  const file = join(dataDir, 'parley.sqlite')
  try {
    const { sqlite, lock } = openLockedFile(dataDir, file)
    const ping = sqlite.prepare('select count(*) from (select 1 from users limit 1)')
    // The first read creates the -wal and -shm files.
    ping.get()
    const guard = createFileGuard({ file, onLost })
    return {
      queries: drizzle(sqlite, { schema }),
      write: (work) => withStorageErrors(() => guard.protect(work)),
      isReady() {
        try {
          return guard.isIntact() && ping.get() !== null
        } catch {
          return false
        }
      },
      close(onError = () => {}) {
        try {
          // A checkpoint of files that were replaced could write to the new ones.
          if (guard.isIntact()) sqlite.run('pragma wal_checkpoint(truncate)')
        } catch (error) {
          const { message } = error as Error
          onError(new Error(`The WAL remains, because the checkpoint failed: ${message}`, { cause: error }))
        }
        sqlite.close(false)
        lock.close(false)
      },
    }
  } catch (error) {
    throw explainOpening(error, file)
  }
}
