import { StorageUnavailable } from '../errors.ts'

const transient = /^SQLITE_(BUSY|LOCKED|FULL|IOERR|READONLY|CANTOPEN|NOMEM)/

/** The SQLite error code of `error` or of one of its causes; Drizzle wraps the errors of bun:sqlite. */
export function sqliteCode(error: unknown): string | undefined {
  for (let each = error; each instanceof Error; each = each.cause) {
    const { code } = each as { code?: unknown }
    if (typeof code === 'string' && code.startsWith('SQLITE_')) return code
  }
  return undefined
}

/** Whether the failure may pass, such as a locked database or a full disk. */
export const isTransient = (error: unknown): boolean => transient.test(sqliteCode(error) ?? '')

/**
 * Runs `work` on the database.
 *
 * @throws StorageUnavailable for a transient failure, with the SQLite error as its cause; other errors pass through
 */
export function withStorageErrors<Result>(work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    if (isTransient(error)) throw new StorageUnavailable(error)
    throw error
  }
}
