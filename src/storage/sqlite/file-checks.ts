import type { Database as Sqlite } from 'bun:sqlite'
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs'
import { UnusableStorage } from '../errors.ts'

/** The database file is damaged or is not a SQLite database. The file has not been changed. */
export class DamagedDatabase extends UnusableStorage {
  /** What is wrong, as the rest of a sentence that begins with the file. */
  readonly finding: string

  constructor(file: string, finding: string, cause?: unknown) {
    super(
      `${file} ${finding}. The file has not been changed. Restore it from a backup with "parley restore"; or run ` +
        `"sqlite3 ${file} .recover" to copy what is still readable to a new file; or move it away, together ` +
        'with its -wal and -shm files, to start with an empty database.',
      { cause },
    )
    this.finding = finding
  }
}

/** The finding if there is a -wal file without its database. */
export const missingFile = 'is missing, but its -wal file with the most recent changes exists'

/** A full check of a larger file would delay each start by more than a second. */
const fullCheckBytes = 64 * 1024 * 1024

/**
 * Finds damage that SQLite would not report on opening: it accepts an empty file as a new database, and
 * reads no further than it must.
 *
 * @throws DamagedDatabase
 */
export function inspectFile(file: string): void {
  const { size } = statSync(file)
  if (size === 0) throw new DamagedDatabase(file, 'is empty, which a database never is')
  const header = Buffer.alloc(100)
  const handle = openSync(file, 'r')
  try {
    readSync(handle, header, 0, header.length, 0)
  } finally {
    closeSync(handle)
  }
  if (!header.toString('latin1').startsWith('SQLite format 3\0')) {
    throw new DamagedDatabase(file, 'is not a SQLite database')
  }
  const rawPageSize = header.readUInt16BE(16)
  const pageSize = rawPageSize === 1 ? 65_536 : rawPageSize
  // The page count is valid only if both change counters are equal (SQLite file format, 1.3.7).
  const pages = header.readUInt32BE(24) === header.readUInt32BE(92) ? header.readUInt32BE(28) : 0
  if (size < pages * pageSize && !existsSync(`${file}-wal`)) {
    throw new DamagedDatabase(file, `is truncated: it has ${size} of ${pages * pageSize} bytes`)
  }
}

/** @throws DamagedDatabase if a file of up to 64 MiB fails SQLite's own check */
export function checkPages(sqlite: Sqlite, file: string): void {
  const [{ size }] = sqlite
    .query('select page_count * page_size as size from pragma_page_count, pragma_page_size')
    .all() as [{ size: number }]
  if (size > fullCheckBytes) return
  const finding = findDamage(sqlite, 'quick_check')
  if (finding !== undefined) throw new DamagedDatabase(file, `is damaged (${finding})`)
}

/** The first damage that SQLite's own check finds; `integrity_check` compares the indexes as well. */
export function findDamage(sqlite: Sqlite, check: 'quick_check' | 'integrity_check'): string | undefined {
  const [[report] = []] = sqlite.query(`pragma ${check}(1)`).values() as [string][]
  // The first line may only name the database.
  return report === 'ok' ? undefined : report?.trim().split('\n').at(-1)
}
