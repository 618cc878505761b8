import { ConfigError } from '../config.ts'
import { rootCause } from '../http/error-handler.ts'
import { CannotListen } from '../listen-errors.ts'
import { LostStorage, UnusableStorage } from '../storage/errors.ts'
import { CommandFailure } from './output.ts'

const explained = [CommandFailure, UnusableStorage, ConfigError, CannotListen, LostStorage]

/** Errors of the operating system and of SQLite, by their codes. */
const explanations: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would become too large',
  EIO: 'the disk fails',
  SQLITE_FULL: 'the disk is full',
  SQLITE_BUSY: 'another program has locked the database for too long. Try again',
  SQLITE_READONLY: 'the database is read-only',
}

/**
 * Explains why a command failed, in one sentence without a stack. Errors of queries repeat values in their own
 * messages, among them password hashes, so only the root cause is used.
 */
export function explainFailure(error: unknown): string {
  const cause = rootCause(error)
  for (const each of [error, cause]) {
    if (explained.some((type) => each instanceof type)) return (each as Error).message
  }
  const { code, path, message } = cause as { code?: string; path?: string; message?: string }
  const explanation = explanations[code ?? ''] ?? message ?? 'an unknown error'
  const user = code === 'EACCES' || code === 'EPERM' ? ` to uid ${process.getuid?.()}` : ''
  return `The command failed: ${path === undefined ? '' : `${path}: `}${explanation}${user}.`
}
