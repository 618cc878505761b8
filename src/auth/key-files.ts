import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { checkFile, explainAccess } from '../storage/file-access.ts'

/** Written under another name first, so that a crash cannot leave a partial file. */
function createFile(path: string, text: string): void {
  writeFileSync(`${path}.new`, `${text}\n`, { mode: 0o600, flush: true })
  renameSync(`${path}.new`, path)
}

/**
 * The text of a file with a key, which only the user of the service can read afterwards.
 *
 * @param generate creates the text of a missing file; without it, a missing file is undefined
 * @throws UnusableStorage if the file cannot be used
 */
export function readKeyFile(path: string, generate: () => string): string
export function readKeyFile(path: string): string | undefined
export function readKeyFile(path: string, generate?: () => string): string | undefined {
  const access = { path, variable: 'DATA_DIR' }
  checkFile(access)
  try {
    if (!existsSync(path)) {
      if (!generate) return undefined
      createFile(path, generate())
    }
    chmodSync(path, 0o600)
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    throw explainAccess(error, access)
  }
}

/**
 * The text of a file with a key, without changing its mode; undefined if there is no file.
 *
 * @throws UnusableStorage if the file cannot be used
 */
export function readUnchangedKeyFile(path: string): string | undefined {
  checkFile({ path, variable: 'DATA_DIR' })
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined
}
