import { Database as Sqlite } from 'bun:sqlite'
import { commandBusyTimeoutMs } from './connection.ts'
import { countRows, type DatabaseCounts } from './counts.ts'
import { findDamage } from './file-checks.ts'

export interface VacuumRequest {
  readonly source: string
  /** An empty file. */
  readonly target: string
}

export type VacuumOutcome =
  | { readonly counts: DatabaseCounts }
  | { readonly error: { readonly code: string | undefined; readonly message: string } }

/** Copies a consistent state of a database that other processes may change meanwhile, and checks the copy. */
export function vacuum({ source, target }: VacuumRequest): DatabaseCounts {
  const sqlite = new Sqlite(source, { readwrite: true, create: false })
  try {
    sqlite.run(`pragma busy_timeout = ${commandBusyTimeoutMs}`)
    // The image of the container has no folder for temporary files.
    sqlite.run('pragma temp_store = memory')
    sqlite.run('vacuum into ?', [target])
  } finally {
    sqlite.close(false)
  }
  const copy = new Sqlite(target, { readonly: true })
  try {
    const finding = findDamage(copy, 'integrity_check')
    if (finding !== undefined) throw Object.assign(new Error(finding), { code: 'SQLITE_CORRUPT' })
    return countRows(copy)
  } finally {
    copy.close(false)
  }
}
