import { join } from 'node:path'
import { UnusableStorage } from '../storage/errors.ts'
import { readKeyFile, readUnchangedKeyFile } from './key-files.ts'
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
}

interface LoadOptions extends KeyOptions {
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

const importCurrent = (source: Source, path: string, text: string) =>
  importFile(
    path,
    text,
    source.importCurrent,
    `Restore the file from a backup, set ${source.setting}, or remove the file to generate a new key, which ` +
      'invalidates all tokens.',
  )

const importPrevious = (source: Source, path: string, text: string) =>
  importFile(
    path,
    text,
    source.importPrevious,
    `Restore the file, set ${source.setting}_PREVIOUS, or remove the file, which invalidates the tokens that ` +
      'this key has signed.',
  )

/** The key that signs: the configured one, or one that is generated at the first start and stored. */
async function loadCurrent(source: Source, dataDir: string, configured: string | undefined) {
  if (configured !== undefined) return source.importCurrent(configured)
  const path = join(dataDir, source.file)
  return importCurrent(source, path, readKeyFile(path, source.generate))
}

async function loadPrevious(source: Source, dataDir: string | undefined, configured: string | undefined) {
  if (configured !== undefined) return source.importPrevious(configured)
  if (dataDir === undefined) return undefined
  const path = join(dataDir, source.previousFile)
  const text = readKeyFile(path)
  return text === undefined ? undefined : importPrevious(source, path, text)
}

/**
 * The keys that sign and verify tokens. Each comes from its setting or, if that is unset, from its file in
 * `dataDir`, so that tokens survive a restart.
 *
 * @throws UnusableStorage if a file cannot be used
 */
export async function loadKeys(options: LoadOptions): Promise<Keys> {
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
  // A copy of the current key is no other key.
  return { current, previous: previous.flatMap((key) => (key && key.id !== current.id ? [key] : [])) }
}

/** Finds what is wrong with the files that `loadKeys` would read. It creates and changes nothing. */
export async function inspectKeyFiles(options: KeyOptions): Promise<string[]> {
  const { dataDir, jwtAlgorithm, jwtSecret, jwtPrivateKey } = options
  const faults: string[] = []

  async function inspect(name: string, importText: (path: string, text: string) => Promise<unknown>) {
    const path = join(dataDir, name)
    try {
      const text = readUnchangedKeyFile(path)
      if (text !== undefined) await importText(path, text)
    } catch (error) {
      if (!(error instanceof UnusableStorage)) throw error
      faults.push(error.message)
    }
  }

  const { HS256, EdDSA } = sources
  const current = sources[jwtAlgorithm]
  if ((jwtAlgorithm === 'HS256' ? jwtSecret : jwtPrivateKey) === undefined) {
    await inspect(current.file, (path, text) => importCurrent(current, path, text))
  }
  if (options.jwtSecretPrevious === undefined) {
    await inspect(HS256.previousFile, (path, text) => importPrevious(HS256, path, text))
  }
  if (options.jwtPrivateKeyPrevious === undefined) {
    await inspect(EdDSA.previousFile, (path, text) => importPrevious(EdDSA, path, text))
  }
  return faults
}
