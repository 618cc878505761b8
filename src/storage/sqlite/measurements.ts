import { statfsSync, statSync } from 'node:fs'
import { databaseFile } from './connection.ts'

/** The result, or undefined if the files cannot be examined. */
function attempt<Result>(examine: () => Result): Result | undefined {
  try {
    return examine()
  } catch {
    return undefined
  }
}

/** The sizes of the files of a database, and the space that is left for them. */
export function measureFiles(dataDir: string) {
  const file = databaseFile(dataDir)
  const sizeOf = (path: string) => attempt(() => statSync(path).size)
  return {
    databaseBytes: sizeOf(file),
    walBytes: sizeOf(`${file}-wal`),
    freeBytes: attempt(() => {
      const { bavail, bsize } = statfsSync(dataDir)
      return bavail * bsize
    }),
  }
}
