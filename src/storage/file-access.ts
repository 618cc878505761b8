import { accessSync, constants, mkdirSync, type Stats, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { UnusableStorage } from './errors.ts'

const { R_OK, W_OK, X_OK } = constants

const statOf = (path: string): Stats | undefined => {
  try {
    return statSync(path)
  } catch {
    return undefined
  }
}

/** `path`, or the nearest folder above it that exists: the one whose owner and mode decide. */
function nearestExisting(path: string): string {
  return statOf(path) !== undefined || path === dirname(path) ? path : nearestExisting(dirname(path))
}

const codeOf = (error: unknown) => String((error as { code?: unknown }).code)

/** `variable` is the setting that selects the path. */
export interface AccessOptions {
  readonly path: string
  readonly variable: string
}

/** States who may not access what, who owns it, and the command that changes this. */
function explainDenial({ path, variable }: AccessOptions): string {
  const place = nearestExisting(path)
  const { uid: owner, mode } = statSync(place)
  const user = process.getuid?.() ?? 0
  return (
    `${variable}: ${path} is not accessible to the service, which runs as uid ${user}: ${place} belongs to ` +
    `uid ${owner} and has mode ${(mode & 0o777).toString(8)}. Run "chown -R ${user} ${place}", run the ` +
    `service as uid ${owner}, or change ${variable}.`
  )
}

/**
 * Converts an error of the operating system or of SQLite that prevents the start into one that names the
 * setting, the path, the cause and the remedy.
 */
export function explainAccess(error: unknown, options: AccessOptions): UnusableStorage {
  const { path, variable } = options
  const messages: Readonly<Record<string, () => string>> = {
    EACCES: () => explainDenial(options),
    EPERM: () => explainDenial(options),
    EROFS: () => `${path} is on a read-only file system. Mount it writable, or change ${variable}.`,
    ENOTDIR: () =>
      `${path} cannot be created, because ${nearestExisting(path)} is a file. Move it away, or change ${variable}.`,
    ENOSPC: () => `The file system of ${path} is full. Free some space, or change ${variable}.`,
    EDQUOT: () => `The disk quota for ${path} is used up. Free some space, or change ${variable}.`,
    SQLITE_FULL: () => `The file system of ${path} is full. Free some space, or change ${variable}.`,
    SQLITE_BUSY: () => `${path} is locked by another program. Close that program, or change ${variable}.`,
  }
  const { message } = error as Error
  const explain =
    messages[codeOf(error)] ??
    (() => `${path} cannot be used (${message}). Check the disk and the permissions, or change ${variable}.`)
  const text = explain()
  return new UnusableStorage(text.startsWith(`${variable}: `) ? text : `${variable}: ${text}`, {
    cause: error,
  })
}

/** @throws UnusableStorage if the path exists and is no folder */
function requireFolder({ path, variable }: AccessOptions): void {
  if (statOf(path)?.isDirectory() === false) {
    throw new UnusableStorage(`${variable}: ${path} is not a folder. Move it away, or change ${variable}.`)
  }
}

/**
 * Checks that the service may create files in a folder that exists.
 *
 * @throws UnusableStorage
 */
export function checkFolder(options: AccessOptions): void {
  requireFolder(options)
  try {
    accessSync(options.path, R_OK | W_OK | X_OK)
  } catch (error) {
    throw explainAccess(error, options)
  }
}

/**
 * Checks that the service may create a folder that does not exist.
 *
 * @throws UnusableStorage
 */
export function checkCreatable(options: AccessOptions): void {
  const place = nearestExisting(options.path)
  try {
    if (statOf(place)?.isDirectory() !== true) {
      throw Object.assign(new Error('not a directory'), { code: 'ENOTDIR' })
    }
    accessSync(place, W_OK | X_OK)
  } catch (error) {
    throw explainAccess(error, options)
  }
}

/**
 * Creates the folder if it does not exist, and checks that the service may create files in it.
 *
 * @throws UnusableStorage
 */
export function prepareFolder(options: AccessOptions): void {
  requireFolder(options)
  try {
    mkdirSync(options.path, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw explainAccess(error, options)
  }
  checkFolder(options)
}

/**
 * Checks that the service may read and write the file, if it exists.
 *
 * @throws UnusableStorage
 */
export function checkFile(options: AccessOptions): void {
  const { path, variable } = options
  const stats = statOf(path)
  if (stats === undefined) return
  if (!stats.isFile()) {
    throw new UnusableStorage(
      `${variable}: ${path} is not a file. Move it away or restore the file, or change ${variable}.`,
    )
  }
  try {
    accessSync(path, R_OK | W_OK)
  } catch (error) {
    throw explainAccess(error, options)
  }
}
