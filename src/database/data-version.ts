import type { Database as Sqlite } from 'bun:sqlite'

/** To ask takes 2 µs, most of it system calls for a lock; so an answer holds for a moment. */
const askAgainAfterMs = 0.25

/**
 * A number that is another one once anybody else has changed the database, a quarter of a
 * millisecond afterwards at the latest.
 *
 * @param sqlite the connection that does all writing of this process, since its own commits do not count
 *   (SQLite, `PRAGMA data_version`)
 */
export function createDataVersion(sqlite: Sqlite): () => number {
  const ask = sqlite.prepare<{ data_version: number }, []>('pragma data_version')
  let version = 0
  let askedAt = Number.NEGATIVE_INFINITY

  return () => {
    const now = performance.now()
    if (now - askedAt < askAgainAfterMs) return version
    version = ask.get()?.data_version ?? version
    askedAt = now
    return version
  }
}
