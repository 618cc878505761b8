import { Database as Sqlite } from 'bun:sqlite'
import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type BunSQLiteDatabase, drizzle } from 'drizzle-orm/bun-sqlite'
import { UnusableStorage } from '../errors.ts'
import { checkPages, DamagedDatabase, inspectFile } from './file-checks.ts'
import { migrate } from './migrations.ts'
import * as schema from './schema.ts'

export type Queries = BunSQLiteDatabase<typeof schema> & { readonly $client: Sqlite }

export interface SqliteConnection {
  readonly queries: Queries
  /** Whether the database can be read now. */
  isReady(): boolean
  /**
   * Closes the database.
   *
   * @param onError called if the changes could not be moved from the WAL to the database file, for example on
   *   a full disk. Nothing is lost: the WAL remains, and the next start reads it.
   */
  close(onError: (error: unknown) => void): void
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
}

/**
 * Opens `parley.sqlite` in `dataDir`, creates it if it does not exist, and applies pending migrations.
 *
 * @throws DamagedDatabase if the file is damaged; it is never replaced by an empty one
 * @throws FolderInUse if another process has opened it
 */
export function openSqlite(dataDir: string): SqliteConnection {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const lock = lockFolder(dataDir)
  const file = join(dataDir, 'parley.sqlite')
  if (existsSync(file)) inspectFile(file)
  else createFile(dataDir, file)
  const sqlite = new Sqlite(file, { readwrite: true, create: false, strict: true })
  try {
    chmodSync(file, 0o600)
    configure(sqlite)
    checkPages(sqlite, file)
    const queries = drizzle(sqlite, { schema })
    migrate(queries)
    const ping = sqlite.prepare('select count(*) from (select 1 from users limit 1)')
    return {
      queries,
      isReady() {
        try {
          return ping.get() !== null
        } catch {
          return false
        }
      },
      close(onError) {
        try {
          sqlite.run('pragma wal_checkpoint(truncate)')
        } catch (error) {
          const { message } = error as Error
          onError(new Error(`The WAL remains, because the checkpoint failed: ${message}`, { cause: error }))
        }
        sqlite.close(false)
        lock.close(false)
      },
    }
  } catch (error) {
    sqlite.close(false)
    lock.close(false)
    const { code } = error as { code?: unknown }
    if (code === 'SQLITE_NOTADB' || String(code).startsWith('SQLITE_CORRUPT')) {
      throw new DamagedDatabase(file, `is damaged (${(error as Error).message})`, error)
    }
    throw error
  }
}
