import type { Database as Sqlite } from 'bun:sqlite'

/** Under load, reading the pragma takes 12 µs, most of it for a lock, so the result is reused for this long. */
const maxAgeMs = 1

/**
 * Creates a function that returns `PRAGMA data_version` of a connection. The number changes when another
 * connection has committed a change to the database; the change is visible after a millisecond at most. Commits
 * of `sqlite` itself do not change it.
 */
export function createDataVersion(sqlite: Sqlite): () => number {
  const pragma = sqlite.prepare<{ data_version: number }, []>('pragma data_version')
  let version = 0
  let readAt = Number.NEGATIVE_INFINITY

  return () => {
    const now = performance.now()
    if (now - readAt < maxAgeMs) return version
    version = pragma.get()?.data_version ?? version
    readAt = now
    return version
  }
}
