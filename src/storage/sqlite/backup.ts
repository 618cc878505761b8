import { existsSync, linkSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { UnusableStorage } from '../errors.ts'
import { checkFile } from '../file-access.ts'
import { databaseFile, explainOpening, requireDatabase } from './connection.ts'
import type { DatabaseCounts } from './counts.ts'
import { inspectFile } from './file-checks.ts'
import { syncFolderOf, syncPath, withTemporaryDatabase } from './temporary-file.ts'
import type { VacuumOutcome, VacuumRequest } from './vacuum.ts'

export interface BackupOptions {
  readonly dataDir: string
  /** The backup that is written. */
  readonly file: string
  /** Whether an existing file is replaced. */
  readonly force: boolean
}

export interface Backup extends DatabaseCounts {
  readonly file: string
  readonly bytes: number
}

/** The files of the service in the data folder. */
const ownFile = /^(?:parley\.(?:sqlite|lock)|jwt-)/

/** @throws UnusableStorage if `file` cannot become the backup */
function checkTarget({ dataDir, file, force }: BackupOptions): void {
  if (dirname(file) === dataDir && ownFile.test(basename(file))) {
    throw new UnusableStorage(`${file} is a file of the service. Choose another name for the backup.`)
  }
  if (!existsSync(dirname(file))) {
    throw new UnusableStorage(`The folder ${dirname(file)} does not exist. Create it, or choose another one.`)
  }
  if (!existsSync(file)) return
  if (!statSync(file).isFile()) throw new UnusableStorage(`${file} is not a file. Choose another name.`)
  if (!force) throw alreadyExists(file)
}

const alreadyExists = (file: string) =>
  new UnusableStorage(`${file} exists. Choose another name, or replace the file with --force.`)

function runVacuum(request: VacuumRequest): Promise<DatabaseCounts> {
  const worker = new Worker(new URL('./vacuum-worker.ts', Bun.pathToFileURL(Bun.main)))
  return new Promise<DatabaseCounts>((fulfil, reject) => {
    worker.onmessage = ({ data }: MessageEvent<VacuumOutcome>) => {
      if ('counts' in data) fulfil(data.counts)
      else reject(Object.assign(new Error(data.error.message), { code: data.error.code }))
    }
    worker.onerror = ({ message }) => reject(new Error(message))
    worker.postMessage(request)
  }).finally(() => worker.terminate())
}

/** Gives the complete file its name; without `force`, an existing file is never replaced. */
function publish(complete: string, file: string, force: boolean): void {
  if (force) {
    renameSync(complete, file)
    return
  }
  try {
    linkSync(complete, file)
    rmSync(complete)
  } catch (error) {
    const { code } = error as { code?: string }
    if (code === 'EEXIST' || existsSync(file)) throw alreadyExists(file)
    // The file system has no hard links.
    renameSync(complete, file)
  }
}

/**
 * Writes a consistent copy of the database to `file`, also while the service runs.
 *
 * @throws UnusableStorage if there is no database, or `file` cannot be written
 */
export async function backUpDatabase(options: BackupOptions): Promise<Backup> {
  const file = resolve(options.file)
  const { dataDir, force } = options
  const source = databaseFile(dataDir)
  requireDatabase(dataDir)
  checkFile({ path: source, variable: 'DATA_DIR' })
  inspectFile(source)
  checkTarget({ ...options, file })
  const unfinished = join(dirname(file), `.${basename(file)}.${crypto.randomUUID()}`)
  return withTemporaryDatabase(unfinished, async () => {
    let counts: DatabaseCounts
    try {
      counts = await runVacuum({ source, target: unfinished })
    } catch (error) {
      const { code } = error as { code?: string }
      // These are the only errors that concern the backup instead of the database.
      throw /^SQLITE_(FULL|IOERR)/.test(code ?? '')
        ? new UnusableStorage(
            `The backup could not be written to ${dirname(file)}: the disk is full or fails.`,
            {
              cause: error,
            },
          )
        : explainOpening(error, source)
    }
    const { size: bytes } = statSync(unfinished)
    syncPath(unfinished)
    publish(unfinished, file, force)
    syncFolderOf(file)
    return { file, bytes, ...counts }
  })
}
