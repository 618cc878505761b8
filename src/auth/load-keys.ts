import { join } from 'node:path'
import { UnusableStorage } from '../storage/errors.ts'
import { readKeyFile } from './key-files.ts'
import { generateKeyPair, importKeyPair, importPublicKey } from './key-pairs.ts'
import type { KeySettings } from './key-settings.ts'
import { type Algorithm, type Keys, type SigningKey, UnusableKey, type VerificationKey } from './keys.ts'
import { generateSecret, importSecret } from './secrets.ts'

interface Source {
  /** The setting of the current key; the setting of the previous one ends with `_PREVIOUS`. */
  readonly setting: string
  readonly file: string
  readonly previousFile: string
  readonly generate: () => string
  readonly importCurrent: (text: string) => SigningKey | Promise<SigningKey>
  readonly importPrevious: (text: string) => VerificationKey | Promise<VerificationKey>
}

const sources: Readonly<Record<Algorithm, Source>> = {
  HS256: {
    setting: 'JWT_SECRET',
    file: 'jwt-secret',
    previousFile: 'jwt-secret.previous',
    generate: generateSecret,
    importCurrent: importSecret,
    importPrevious: importSecret,
  },
  EdDSA: {
    setting: 'JWT_PRIVATE_KEY',
    file: 'jwt-key.json',
    previousFile: 'jwt-key.previous.json',
    generate: generateKeyPair,
    importCurrent: importKeyPair,
    importPrevious: importPublicKey,
  },
}

interface KeyOptions extends KeySettings {
  readonly dataDir: string
  /** If set, several nodes share the keys, so all of them come from settings. */
  readonly databaseUrl: string | undefined
}

/** @throws UnusableStorage if the text of the file cannot be imported */
async function importFile<Key>(
  path: string,
  text: string,
  importKey: (text: string) => Key,
  remedy: string,
): Promise<Awaited<Key>> {
  try {
    return await importKey(text)
  } catch (error) {
    if (!(error instanceof UnusableKey)) throw error
    throw new UnusableStorage(`DATA_DIR: ${path} ${error.message}. ${remedy}`)
  }
}

/** The key that signs: the configured one, or one that is generated at the first start and stored. */
async function loadCurrent(source: Source, dataDir: string, configured: string | undefined) {
  if (configured !== undefined) return source.importCurrent(configured)
  const path = join(dataDir, source.file)
  return importFile(
    path,
    readKeyFile(path, source.generate),
    source.importCurrent,
    `Restore the file from a backup, set ${source.setting}, or remove the file to generate a new key, which ` +
      'invalidates all tokens.',
  )
}

async function loadPrevious(source: Source, dataDir: string | undefined, configured: string | undefined) {
  if (configured !== undefined) return source.importPrevious(configured)
  if (dataDir === undefined) return undefined
  const path = join(dataDir, source.previousFile)
  const text = readKeyFile(path)
  if (text === undefined) return undefined
  return importFile(
    path,
    text,
    source.importPrevious,
    `Restore the file, set ${source.setting}_PREVIOUS, or remove the file, which invalidates the tokens that ` +
      'this key has signed.',
  )
}

/**
 * The keys that sign and verify tokens. Each comes from its setting or, if that is unset, from its file in
 * `dataDir`, so that tokens survive a restart.
 *
 * @throws UnusableStorage if a file cannot be used
 */
export async function loadKeys(options: KeyOptions): Promise<Keys> {
  const { jwtAlgorithm, dataDir, jwtSecret, jwtPrivateKey } = options
  const previousDir = options.databaseUrl === undefined ? dataDir : undefined
  const current = await loadCurrent(
    sources[jwtAlgorithm],
    dataDir,
    jwtAlgorithm === 'HS256' ? jwtSecret : jwtPrivateKey,
  )
  const previous = [
    await loadPrevious(sources.HS256, previousDir, options.jwtSecretPrevious),
    await loadPrevious(sources.EdDSA, previousDir, options.jwtPrivateKeyPrevious),
  ]
  return { current, previous: previous.filter((key) => key !== undefined) }
}
