import type { Database as Sqlite } from 'bun:sqlite'

/** To ask costs 2.5 µs, most of it system calls for a lock: as much as half of a short request. */
const askAgainAfterMs = 1

/**
 * A number that becomes another one when anybody else has changed the database, at the latest a
 * millisecond afterwards.
 *
 * @param sqlite the connection that does all writing of this process, since its own commits do not count
 *   (SQLite, `PRAGMA data_version`)
 */
export function createDataVersion(sqlite: Sqlite): () => number {
  const ask = sqlite.prepare<[number], []>('pragma data_version')
  let version = 0
  let isCurrent = false

  function expire(): void {
    isCurrent = false
  }

  return () => {
    if (isCurrent) return version
    const [row] = ask.values() as [[number]]
    version = row[0]
    isCurrent = true
    setTimeout(expire, askAgainAfterMs)
    return version
  }
}
