import { existsSync, statSync } from 'node:fs'
import { LostStorage, StorageUnavailable } from '../errors.ts'

export interface FileGuard {
  /**
   * Whether the files are still the ones that were opened. Once this is false, it stays false: another
   * program may have changed the files while they were elsewhere.
   */
  isIntact(): boolean
  /**
   * To call before a change, so that nothing is stored in files that may be put back.
   *
   * @throws StorageUnavailable if a file was removed or replaced
   */
  beforeChange(): void
  /**
   * To call after a change, which is only then known to be in the files at the original paths: SQLite writes to a
   * deleted file without an error, and the change is lost at the next start.
   *
   * @throws StorageUnavailable if a file was removed or replaced
   */
  afterChange(): void
  /**
   * Records that the files cannot be relied on any more.
   *
   * @param reason what happened, in a sentence for the operator
   * @param remedy what to do, in the same way
   */
  lose(reason: string, remedy: string): void
}

interface FileGuardOptions {
  /** The database; its `-wal` and `-shm` files are watched, too. They must exist. */
  readonly file: string
  /** Called once, when the files are not intact any more. */
  readonly onLost: (error: LostStorage) => void
}

interface OpenedFile {
  readonly path: string
  readonly dev: number | undefined
  readonly ino: number | undefined
}

/** The device and inode of the file; undefined if it does not exist. */
function identify(path: string): OpenedFile {
  try {
    const stats = statSync(path, { throwIfNoEntry: false })
    return { path, dev: stats?.dev, ino: stats?.ino }
  } catch {
    // A folder on the way was replaced by a file or cannot be read.
    return { path, dev: undefined, ino: undefined }
  }
}

/** Whether the file exists and is the one that was opened. */
function isSame({ path, dev, ino }: OpenedFile): boolean {
  const now = identify(path)
  return now.ino === ino && now.dev === dev && ino !== undefined
}

/**
 * How often the `-wal` and `-shm` files are compared; at each commit, only their existence is checked. A commit takes a third longer if the `-wal` file was examined before, because Linux then has to
 * write a new timestamp for it.
 */
const sideFilesMs = 100

/**
 * After a check, further changes need no check in advance for this long, which halves the cost under load. A
 * change within this time after the files were moved is refused, but is in the files if they are put back.
 */
const recentMs = 5

/** Watches the files of an open database. */
export function createFileGuard({ file, onLost }: FileGuardOptions): FileGuard {
  const database = identify(file)
  const sideFiles = ['-wal', '-shm'].map((suffix) => identify(file + suffix))
  let comparedAt = performance.now()
  let checkedAt = comparedAt
  let lost: LostStorage | undefined

  function findLost(compareAll: boolean): OpenedFile | undefined {
    if (!isSame(database)) return database
    const now = performance.now()
    checkedAt = now
    if (!compareAll && now - comparedAt < sideFilesMs) return sideFiles.find(({ path }) => !existsSync(path))
    comparedAt = now
    return sideFiles.find((sideFile) => !isSame(sideFile))
  }

  function lose(reason: string, remedy: string): void {
    if (lost) return
    lost = new LostStorage(`${reason} The service refuses to store anything until it is restarted. ${remedy}`)
    onLost(lost)
  }

  function check(compareAll = false): LostStorage | undefined {
    const found = lost ? undefined : findLost(compareAll)
    if (found) {
      const what = existsSync(found.path) ? 'replaced' : 'removed'
      lose(
        `${found.path} was ${what} while the service was running.`,
        'Stop it, put the original files back or restore a backup, and start it again.',
      )
    }
    return lost
  }

  function requireIntact(): void {
    const found = check()
    if (found) throw new StorageUnavailable(found)
  }

  return {
    isIntact: () => check(true) === undefined,
    beforeChange() {
      if (lost || performance.now() - checkedAt > recentMs) requireIntact()
    },
    afterChange: requireIntact,
    lose,
  }
}
