import { OutcomeUnknown, StorageUnavailable } from '../errors.ts'

/** The server did not respond in time. Bun's client has no limit of its own, so `createPool` sets one. */
export class QueryTimedOut extends Error {
  constructor(ms: number) {
    super(`PostgreSQL did not respond within ${ms} ms`)
  }
}

/** Which of the two errors of Bun's client an error is, or was caused by; Drizzle wraps them. */
interface ClientError extends Error {
  readonly code: string
  /** The SQLSTATE, if the server has reported the error. */
  readonly errno?: string
}

function clientError(error: unknown): ClientError | undefined {
  for (let each = error; each instanceof Error; each = each.cause) {
    const { code } = each as { code?: unknown }
    if (typeof code === 'string' && code.startsWith('ERR_POSTGRES_')) return each as ClientError
  }
  return undefined
}

/** The SQLSTATE that the server has reported, or undefined. */
export const sqlState = (error: unknown): string | undefined => clientError(error)?.errno

/**
 * What a failed statement means: `nothing-changed` if it certainly had no effect and a retry makes sense;
 * `unknown` if it may have been executed; `fault` if a retry would fail as well.
 */
export type FailureKind = 'nothing-changed' | 'unknown' | 'fault'

/** A connection could not be opened, so no statement was sent. */
const notConnected = new Set([
  'ERR_POSTGRES_CONNECTION_REFUSED',
  'ERR_POSTGRES_CONNECTION_TIMEOUT',
  'ERR_POSTGRES_CONNECTION_FAILED',
])

/** The session was ended by the server, possibly after the commit and before its confirmation. */
const sessionEnded = /^(57P01|57P02|08)/

/**
 * Rolled back for a transient reason: resources, locks, cancelled by a timeout, a server that is starting or
 * read-only, serialization failures and deadlocks, errors of the file system, another database.
 */
const transient = /^(53|55|57|58|25006|25P03|40|3D000)/

export function failureKind(error: unknown): FailureKind {
  if (error instanceof QueryTimedOut) return 'unknown'
  const failure = clientError(error)
  if (!failure) return 'fault'
  const { code, errno } = failure
  if (errno === undefined) {
    if (notConnected.has(code)) return 'nothing-changed'
    return /CONNECTION|TIMEOUT|LIFETIME/.test(code) ? 'unknown' : 'fault'
  }
  if (sessionEnded.test(errno)) return 'unknown'
  return transient.test(errno) ? 'nothing-changed' : 'fault'
}

/** The error of a statement that only reads. */
export const readError = (error: unknown): unknown =>
  failureKind(error) === 'fault' ? error : new StorageUnavailable(error)

/** The error of a statement that changes something. */
export function writeError(error: unknown): unknown {
  const kind = failureKind(error)
  if (kind === 'fault') return error
  return kind === 'unknown' ? new OutcomeUnknown(error) : new StorageUnavailable(error)
}
