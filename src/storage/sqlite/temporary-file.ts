import { closeSync, fsyncSync, openSync, rmSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname } from 'node:path'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const suffixes = ['', '-journal', '-wal', '-shm']

/** Removes a database file and its companions. */
function removeDatabase(file: string): void {
  for (const suffix of suffixes) rmSync(file + suffix, { force: true })
}

/** Writes what the system has buffered of a file or folder to the disk. */
export function syncPath(path: string): void {
  const handle = openSync(path, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/** Makes the names of files in the folder of `file` durable. */
export const syncFolderOf = (file: string): void => syncPath(dirname(file))

/**
 * Creates an empty file that only its owner can read, for a database that is renamed once it is complete.
 * Removes what remains of it when `work` ends or fails, or when a signal ends the process.
 */
export async function withTemporaryDatabase<Result>(
  file: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const handlers = signals.map((signal) => {
    const handler = () => {
      removeDatabase(file)
      process.exit(128 + constants.signals[signal])
    }
    process.once(signal, handler)
    return () => process.off(signal, handler)
  })
  try {
    closeSync(openSync(file, 'wx', 0o600))
    try {
      return await work()
    } finally {
      removeDatabase(file)
    }
  } finally {
    for (const remove of handlers) remove()
  }
}
