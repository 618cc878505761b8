import type { Logger } from 'pino'
import { HashingOverloaded } from '../auth/passwords.ts'
import { IdempotencyKeyReused } from '../chats/message-log.ts'
import { StorageUnavailable, sqliteCode } from '../database/storage.ts'
import { type Problem, ProblemError, unavailable } from './problems.ts'

export interface Failure {
  readonly error: ProblemError
  readonly body: Problem
}

/** Turns whatever was thrown into a documented problem, and logs what is the server's fault. */
export type ToProblem = (thrown: unknown, requestId: string) => Failure

function classify(thrown: unknown): ProblemError {
  if (thrown instanceof ProblemError) return thrown
  if (thrown instanceof StorageUnavailable) return unavailable('storage-unavailable', thrown)
  if (thrown instanceof HashingOverloaded) return unavailable('hashing-overloaded', thrown)
  if (thrown instanceof IdempotencyKeyReused) {
    const detail = 'differs from the message that this key came with'
    return new ProblemError('idempotency-key-reused', { errors: [{ pointer: '/message', detail }] })
  }
  return new ProblemError('internal-error', { cause: thrown })
}

/** The last in the chain of causes; what stands before it (Drizzle's, above all) repeats values. */
function rootOf(error: unknown): unknown {
  let root = error
  while (root instanceof Error && root.cause !== undefined) root = root.cause
  return root
}

/**
 * The one place that knows every failure. The log gets the name, the code and the message of the root
 * cause, without its stack.
 */
export function createFailures(log: Logger): ToProblem {
  return (thrown, requestId) => {
    const error = classify(thrown)
    if (error.status >= 500) {
      const root = rootOf(error)
      const { name, message } = root instanceof Error ? root : { name: typeof root, message: '' }
      const cause = root === error ? undefined : { name, message, code: sqliteCode(root) }
      log[error.status === 500 ? 'error' : 'warn']({ requestId, code: error.code, cause }, 'failed')
    }
    return { error, body: error.toProblem(requestId) }
  }
}
