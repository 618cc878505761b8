import type { Database as Sqlite } from 'bun:sqlite'
import type { MaybePromise } from '../../maybe-promise.ts'
import { OutcomeUnknown, StorageUnavailable } from '../errors.ts'
import type { RunOnDatabase } from './connection.ts'
import { withStorageErrors } from './errors.ts'
import type { FileGuard } from './file-guard.ts'
import type { Wal } from './wal.ts'

export interface Changes {
  /** Runs `work`, which changes the database. It returns only if the change is durable in the data folder. */
  readonly write: RunOnDatabase
  /**
   * The same for work that runs often: the thread does not wait for a slow disk. Until the promise resolves, every
   * connection can read the change already, and a power failure can undo it.
   *
   * @throws StorageUnavailable
   * @throws OutcomeUnknown if the disk failed. Nothing can be changed from then on.
   */
  readonly commit: <Result>(work: () => Result) => MaybePromise<Result>
  /** Whether the last change failed. */
  failed(): boolean
}

type Synchronous = 'full' | 'normal'

interface ChangesOptions {
  /** A connection with `synchronous = full`. */
  readonly sqlite: Sqlite
  readonly wal: Wal
  readonly guard: FileGuard
}

/** Runs changes one after the other, each durable when it returns. */
export const createWrite =
  (guard: FileGuard): RunOnDatabase =>
  (work) => {
    guard.beforeChange()
    const result = withStorageErrors(work)
    guard.afterChange()
    return result
  }

/** Changes an open database, and checks that its files are still in place. */
export function createChanges({ sqlite, wal, guard }: ChangesOptions): Changes {
  const write = createWrite(guard)
  let failed = false
  let synchronous: Synchronous = 'full'

  /** With `full`, SQLite flushes the WAL itself, in each transaction. */
  function setSynchronous(value: Synchronous): void {
    if (value === synchronous) return
    sqlite.run(`pragma synchronous = ${value}`)
    synchronous = value
  }

  /**
   * After a failed flush, Linux may have dropped what it could not write, and a second flush would succeed. Later
   * commits would then follow a gap in the WAL, so there must be none.
   */
  function failFlush(error: unknown): never {
    guard.lose(
      `The disk did not store the last changes (${(error as Error).message}).`,
      'Check the disk, and restart the service.',
    )
    throw new OutcomeUnknown(error)
  }

  function flush(): MaybePromise<void> {
    try {
      const flushed = wal.flush()
      return flushed instanceof Promise ? flushed.catch(failFlush) : flushed
    } catch (error) {
      failFlush(error)
    }
  }

  function succeed(): void {
    guard.afterChange()
    failed = false
  }

  function fail(error: unknown): never {
    if (error instanceof StorageUnavailable) failed = true
    throw error
  }

  return {
    write(work) {
      try {
        const result = write(() => {
          setSynchronous('full')
          return work()
        })
        failed = false
        return result
      } catch (error) {
        fail(error)
      }
    },
    commit(work) {
      try {
        guard.beforeChange()
        const result = withStorageErrors(() => {
          setSynchronous('normal')
          return work()
        })
        const flushed = flush()
        if (flushed instanceof Promise) return flushed.then(succeed).then(() => result, fail)
        succeed()
        return result
      } catch (error) {
        fail(error)
      }
    },
    failed: () => failed,
  }
}
