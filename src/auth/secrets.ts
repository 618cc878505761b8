import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { UnusableStorage } from '../storage/errors.ts'
import { checkFile, explainAccess } from '../storage/file-access.ts'

const minBytes = 32

function createFile(file: string): void {
  const secret = Buffer.from(crypto.getRandomValues(new Uint8Array(48))).toString('base64url')
  // Written under another name first, so that a crash cannot leave a partial file.
  writeFileSync(`${file}.new`, `${secret}\n`, { mode: 0o600, flush: true })
  renameSync(`${file}.new`, file)
}

function readFile(file: string): Uint8Array<ArrayBuffer> {
  checkFile({ path: file, variable: 'DATA_DIR' })
  try {
    if (!existsSync(file)) createFile(file)
    chmodSync(file, 0o600)
    return new TextEncoder().encode(readFileSync(file, 'utf8').trim())
  } catch (error) {
    throw explainAccess(error, { path: file, variable: 'DATA_DIR' })
  }
}

/**
 * The secret that signs tokens: the configured one, or one that is generated at the first start and stored
 * in `dataDir`, readable only by the service's user, so that tokens survive a restart.
 *
 * @throws UnusableStorage if the file cannot be used
 */
export function loadSecret(dataDir: string, configured: string | undefined): Uint8Array<ArrayBuffer> {
  if (configured !== undefined) return new TextEncoder().encode(configured)
  const file = join(dataDir, 'jwt-secret')
  const secret = readFile(file)
  if (secret.length < minBytes) {
    throw new UnusableStorage(
      `DATA_DIR: ${file} is ${secret.length === 0 ? 'empty' : 'too short'}: a secret has at least ${minBytes} ` +
        'bytes. Restore the file from a backup, set JWT_SECRET, or remove the file to generate a new secret, ' +
        'which invalidates all tokens.',
    )
  }
  return secret
}
