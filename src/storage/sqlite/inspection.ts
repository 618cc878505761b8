import { constants, Database as Sqlite } from 'bun:sqlite'
import { existsSync, statSync } from 'node:fs'
import { UnusableStorage } from '../errors.ts'
import { checkCreatable, checkFile, checkFolder } from '../file-access.ts'
import { commandBusyTimeoutMs, databaseFile, databaseFiles, explainOpening } from './connection.ts'
import { checkPages, DamagedDatabase, inspectFile, missingFile } from './file-checks.ts'
import { isFolderInUse, lockFile } from './folder-lock.ts'
import { checkRelease, pendingMigrations } from './release.ts'

export interface Inspection {
  /** What prevents the service from starting. */
  readonly faults: readonly string[]
  /** What the operator may want to know. */
  readonly notes: readonly string[]
}

/** Opens the database so that no file is created or changed. */
function openUnchanged(file: string, inUse: boolean): Sqlite {
  // While the service runs, its -shm file exists and is current. Otherwise SQLite would create one.
  if (inUse) return new Sqlite(file, { readonly: true })
  const url = `${Bun.pathToFileURL(file).href}?immutable=1`
  return new Sqlite(url, constants.SQLITE_OPEN_READONLY | constants.SQLITE_OPEN_URI)
}

/** @throws UnusableStorage if the service could not open the database */
function inspectDatabase(file: string, inUse: boolean): string[] {
  inspectFile(file)
  const sqlite = openUnchanged(file, inUse)
  try {
    sqlite.run(`pragma busy_timeout = ${commandBusyTimeoutMs}`)
    checkRelease(sqlite, file)
    const notes = pendingMigrations(sqlite).map((tag) => `The next start applies the migration ${tag}.`)
    const walSize = statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0
    if (inUse || walSize === 0) checkPages(sqlite, file)
    else notes.push(`${file}-wal contains changes of a service that was killed. The next start applies them.`)
    return notes
  } catch (error) {
    throw explainOpening(error, file)
  } finally {
    sqlite.close(false)
  }
}

/** Finds what would prevent the service from starting with `dataDir`. It changes nothing. */
export function inspectDataFolder(dataDir: string): Inspection {
  const faults: string[] = []
  const notes: string[] = []
  const variable = 'DATA_DIR'
  const file = databaseFile(dataDir)

  function attempt(check: () => void): void {
    try {
      check()
    } catch (error) {
      if (!(error instanceof UnusableStorage)) throw error
      faults.push(error.message)
    }
  }

  if (!existsSync(dataDir)) {
    attempt(() => {
      checkCreatable({ path: dataDir, variable })
      notes.push(`${dataDir} does not exist. The first start creates it.`)
    })
    return { faults, notes }
  }
  attempt(() => checkFolder({ path: dataDir, variable }))
  if (faults.length > 0) return { faults, notes }
  for (const path of [...databaseFiles(file), lockFile(dataDir)]) attempt(() => checkFile({ path, variable }))
  if (faults.length > 0) return { faults, notes }
  const inUse = isFolderInUse(dataDir)
  if (inUse) notes.push(`A service is running on ${dataDir}.`)
  attempt(() => {
    if (existsSync(file)) notes.push(...inspectDatabase(file, inUse))
    else if (existsSync(`${file}-wal`)) throw new DamagedDatabase(file, missingFile)
    else notes.push(`${dataDir} contains no database. The first start creates it.`)
  })
  return { faults, notes }
}
