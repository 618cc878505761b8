import { Database as Sqlite } from 'bun:sqlite'
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { type BunSQLiteDatabase, drizzle } from 'drizzle-orm/bun-sqlite'
import { createDataVersion } from './data-version.ts'
import { migrate } from './migrations.ts'
import * as schema from './schema.ts'

export type Queries = BunSQLiteDatabase<typeof schema> & { readonly $client: Sqlite }

export interface Database {
  readonly queries: Queries
  /** Another number once another program has changed the database, a moment later at most. */
  dataVersion(): number
  /** Whether the file can be read now. */
  isReady(): boolean
  close(): void
}

/** The database is damaged or foreign; the message says what to do. Nothing was changed. */
export class DamagedDatabase extends Error {}

/** Short, since SQLite waits on the one thread that serves everyone; the caller may try again. */
const busyTimeoutMs = 100

/** Above this size a full check at each start would take longer than a second. */
const fullCheckBytes = 64 * 1024 * 1024

function damaged(file: string, what: string, cause?: unknown): DamagedDatabase {
  return new DamagedDatabase(
    `${file} ${what}. It has been left as it is. Restore it from a backup; or, to keep what is still ` +
      `readable, run "sqlite3 ${file} .recover" into a new file; or move it away, with its -wal and -shm ` +
      'files, to start with an empty database.',
    { cause },
  )
}

/** What opening would hide: SQLite takes an empty file for a new database, and reads no further than it must. */
function inspectFile(file: string): void {
  const { size } = statSync(file)
  if (size === 0) throw damaged(file, 'is empty, which a database never is')
  const header = Buffer.alloc(100)
  const handle = openSync(file, 'r')
  try {
    readSync(handle, header, 0, header.length, 0)
  } finally {
    closeSync(handle)
  }
  if (!header.toString('latin1').startsWith('SQLite format 3\0'))
    throw damaged(file, 'is not a SQLite database')
  const rawPageSize = header.readUInt16BE(16)
  const pageSize = rawPageSize === 1 ? 65_536 : rawPageSize
  // The count of pages is valid only where both change counters agree (SQLite file format, 1.3.7).
  const pages = header.readUInt32BE(24) === header.readUInt32BE(92) ? header.readUInt32BE(28) : 0
  if (size < pages * pageSize && !existsSync(`${file}-wal`)) {
    throw damaged(file, `is cut off: it has ${size} of ${pages * pageSize} bytes`)
  }
}

function checkPages(sqlite: Sqlite, file: string): void {
  const [{ size }] = sqlite
    .query('select page_count * page_size as size from pragma_page_count, pragma_page_size')
    .all() as [{ size: number }]
  if (size > fullCheckBytes) return
  const [result] = sqlite.query('pragma quick_check(1)').values() as [[string]]
  if (result[0] !== 'ok') throw damaged(file, `is damaged (${result[0]})`)
}

/** Another process serves from this folder. */
export class FolderInUse extends Error {}

/**
 * Holds `dataDir` for this process; the system lets go when it ends, however it ends. A second process
 * would give the same sequences to other messages.
 */
function lockFolder(dataDir: string): Sqlite {
  const lock = new Sqlite(join(dataDir, 'parley.lock'), { create: true })
  try {
    // The object must stay reachable, or its lock is collected with it: close() sees to that.
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
 * Makes the database beside its place and moves it there when it is whole: a crash in the middle
 * leaves nothing that the next start would have to take for a damaged file.
 */
function createFile(dataDir: string, file: string): void {
  if (existsSync(`${file}-wal`)) {
    throw damaged(file, 'is missing, while its -wal file, with the last changes, is there')
  }
  const unfinished = `${file}.new`
  rmSync(unfinished, { force: true })
  rmSync(`${unfinished}-journal`, { force: true })
  const sqlite = new Sqlite(unfinished, { create: true, strict: true })
  try {
    // Still without a -wal, so that all of it is in the one file that is moved.
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

/**
 * Opens `parley.sqlite` in `dataDir`, which it makes where there is none, and applies migrations.
 *
 * @throws DamagedDatabase where the file is damaged; it is never replaced by an empty one
 * @throws FolderInUse where another process has opened it
 */
export function openDatabase(dataDir: string): Database {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const lock = lockFolder(dataDir)
  const file = join(dataDir, 'parley.sqlite')
  if (existsSync(file)) inspectFile(file)
  else createFile(dataDir, file)
  const sqlite = new Sqlite(file, { readwrite: true, create: false, strict: true })
  try {
    chmodSync(file, 0o600)
    sqlite.run(`pragma busy_timeout = ${busyTimeoutMs}`)
    sqlite.run('pragma journal_mode = wal')
    sqlite.run('pragma synchronous = full')
    sqlite.run('pragma foreign_keys = on')
    checkPages(sqlite, file)
    const queries = drizzle(sqlite, { schema })
    migrate(queries)
    const ping = sqlite.prepare('select count(*) from (select 1 from users limit 1)')
    return {
      queries,
      dataVersion: createDataVersion(sqlite),
      isReady() {
        try {
          return ping.get() !== null
        } catch {
          return false
        }
      },
      close() {
        sqlite.run('pragma wal_checkpoint(truncate)')
        sqlite.close(false)
        lock.close(false)
      },
    }
  } catch (error) {
    sqlite.close(false)
    lock.close(false)
    const { code } = error as { code?: unknown }
    if (code === 'SQLITE_NOTADB' || String(code).startsWith('SQLITE_CORRUPT')) {
      throw damaged(file, `is damaged (${(error as Error).message})`, error)
    }
    throw error
  }
}
