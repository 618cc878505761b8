import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { UnusableStorage } from '../storage/errors.ts'

/**
 * The secret that signs tokens: the configured one, or one that is generated at the first start and stored
 * in `dataDir`, readable only by the service's user, so that tokens survive a restart.
 */
export function loadSecret(dataDir: string, configured: string | undefined): Uint8Array<ArrayBuffer> {
  if (configured !== undefined) return new TextEncoder().encode(configured)
  const file = join(dataDir, 'jwt-secret')
  if (!existsSync(file)) {
    const secret = Buffer.from(crypto.getRandomValues(new Uint8Array(48))).toString('base64url')
    // Written under another name first, so that a crash cannot leave a partial file.
    writeFileSync(`${file}.new`, `${secret}\n`, { mode: 0o600, flush: true })
    renameSync(`${file}.new`, file)
  }
  chmodSync(file, 0o600)
  const secret = new TextEncoder().encode(readFileSync(file, 'utf8').trim())
  if (secret.length < 32) {
    throw new UnusableStorage(`${file} is too short: restore it, or remove it to generate a new one`)
  }
  return secret
}
