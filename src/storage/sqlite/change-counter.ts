import type { Database as Sqlite } from 'bun:sqlite'
import { createDataVersion } from './data-version.ts'
import { withStorageErrors } from './errors.ts'

export interface ChangeCounter {
  /** A number that changes with each change that `countOwn` or another connection has made. */
  version(): number
  /** Counts a change by this connection: `PRAGMA data_version` ignores its own commits. */
  countOwn(): void
}

/** Counts the changes to a database by this connection and by others. */
export function createChangeCounter(sqlite: Sqlite): ChangeCounter {
  const dataVersion = createDataVersion(sqlite)
  let ownChanges = 0
  let lastDataVersion = dataVersion()
  let otherChanges = 0

  return {
    version() {
      const current = withStorageErrors(dataVersion)
      if (current !== lastDataVersion) {
        lastDataVersion = current
        otherChanges++
      }
      return ownChanges + otherChanges
    },
    countOwn: () => void ownChanges++,
  }
}
