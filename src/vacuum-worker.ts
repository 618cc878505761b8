// Writes a backup in a thread of its own, so that the main thread can react to signals meanwhile. It is next to
// main.ts, because the compiled binary resolves its path from there.
import { Database as Sqlite } from 'bun:sqlite'
import { countRows, type DatabaseCounts } from './storage/sqlite/counts.ts'
import { findDamage } from './storage/sqlite/file-checks.ts'

export interface VacuumRequest {
  readonly source: string
  /** An empty file. */
  readonly target: string
}

export type VacuumOutcome =
  | { readonly counts: DatabaseCounts }
  | { readonly error: { readonly code: string | undefined; readonly message: string } }

declare const self: Worker

/** Copies a consistent state of a database that other processes may change meanwhile, and checks the copy. */
function vacuum({ source, target }: VacuumRequest): DatabaseCounts {
  const sqlite = new Sqlite(source, { readwrite: true, create: false })
  try {
    sqlite.run('pragma busy_timeout = 5000')
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

self.onmessage = ({ data }: MessageEvent<VacuumRequest>) => {
  let outcome: VacuumOutcome
  try {
    outcome = { counts: vacuum(data) }
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    outcome = { error: { code, message } }
  }
  self.postMessage(outcome)
}
