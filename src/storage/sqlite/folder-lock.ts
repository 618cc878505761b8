import { Database as Sqlite } from 'bun:sqlite'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { UnusableStorage } from '../errors.ts'

/** Another process uses this data folder. */
export class FolderInUse extends UnusableStorage {}

const isBusy = (error: unknown) => (error as { code?: unknown }).code === 'SQLITE_BUSY'

export const lockFile = (dataDir: string): string => join(dataDir, 'parley.lock')

/**
 * Locks `dataDir` for this process; the operating system releases the lock when the process ends. Two
 * processes would assign the same sequences to different messages.
 */
export function lockFolder(dataDir: string): Sqlite {
  const lock = new Sqlite(lockFile(dataDir), { create: true })
  try {
    // The lock is released when this object is garbage-collected, so the connection keeps a reference.
    lock.run('begin exclusive')
    return lock
  } catch (error) {
    lock.close(false)
    if (!isBusy(error)) throw error
    throw new FolderInUse(`Another process serves from ${dataDir}. Stop it, or set DATA_DIR.`, {
      cause: error,
    })
  }
}

/** Whether a process has locked the folder. It changes nothing. */
export function isFolderInUse(dataDir: string): boolean {
  if (!existsSync(lockFile(dataDir))) return false
  const lock = new Sqlite(lockFile(dataDir), { readonly: true })
  try {
    lock.query('select 1 from sqlite_schema').get()
    return false
  } catch (error) {
    if (isBusy(error)) return true
    throw error
  } finally {
    lock.close(false)
  }
}
