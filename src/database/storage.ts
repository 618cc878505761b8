/** The storage does not take this now; nothing of it was stored, and trying again makes sense. */
export class StorageUnavailable extends Error {}

const passing = /^SQLITE_(BUSY|LOCKED|FULL|IOERR|READONLY|CANTOPEN|NOMEM)/

/** The code of a SQLite error, wherever Drizzle has wrapped it. */
export function sqliteCode(error: unknown): string | undefined {
  for (let each = error; each instanceof Error; each = each.cause) {
    const { code } = each as { code?: unknown }
    if (typeof code === 'string' && code.startsWith('SQLITE_')) return code
  }
  return undefined
}

/**
 * Runs `work` on the database and tells a passing failure (locked, full, failing to write) from a
 * fault of ours.
 *
 * @throws StorageUnavailable for a passing failure, with the error as its cause
 */
export function onStorage<Result>(work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    if (passing.test(sqliteCode(error) ?? '')) {
      throw new StorageUnavailable('The storage does not take this now', { cause: error })
    }
    throw error
  }
}
