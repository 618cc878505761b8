import { type Problem, ProblemError } from '../contract/problems.ts'
import type { Logger } from '../logger.ts'

export interface Failure {
  readonly error: ProblemError
  readonly body: Problem
}

/** Converts anything thrown to a documented problem, and logs the server's own faults. */
export type ToProblem = (thrown: unknown, requestId: string) => Failure

/** The last error in the chain of causes. The errors that wrap it, Drizzle's above all, repeat values. */
export function rootCause(error: unknown): unknown {
  let root = error
  while (root instanceof Error && root.cause !== undefined) root = root.cause
  return root
}

/** What the log records of an error: never its stack. */
export function describeError(error: unknown): { name: string; message: string; code?: string } {
  if (!(error instanceof Error)) return { name: typeof error, message: '' }
  const { name, message, code } = error as Error & { code?: unknown }
  return { name, message, ...(typeof code === 'string' && { code }) }
}

/**
 * Creates the one place that turns failures into problems. Anything but a ProblemError is an
 * `internal-error`; its root cause is logged.
 */
export function createErrorHandler(logger: Logger): ToProblem {
  return (thrown, requestId) => {
    const error =
      thrown instanceof ProblemError ? thrown : new ProblemError('internal-error', { cause: thrown })
    if (error.status >= 500) {
      const root = rootCause(error)
      const cause = root === error ? undefined : describeError(root)
      logger[error.status === 500 ? 'error' : 'warn']({ requestId, code: error.code, cause }, 'failed')
    }
    return { error, body: error.toProblem(requestId) }
  }
}
