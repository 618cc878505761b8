import type { Operations, ProblemCode, Schemas } from './contract.gen.ts'

export type OperationId = keyof Operations

/**
 * What can go wrong without a problem of the server:
 * - `network`: the server could not be reached, or the connection was lost
 * - `timeout`: an attempt took longer than `timeoutMs`
 * - `aborted`: the caller's signal was aborted
 * - `unexpected-response`: the response is not from Parley, for example a proxy's error page
 * - `unauthorized`: `onAuthRequired` failed or took too long; `cause` has its error
 * - `queue-full`: too many messages wait to be sent
 * - `closed`: the chat was closed, another user logged in, or the message ended the connection
 */
export type ClientCode =
  | 'network'
  | 'timeout'
  | 'aborted'
  | 'unexpected-response'
  | 'unauthorized'
  | 'queue-full'
  | 'closed'

export type ErrorCode = ProblemCode | ClientCode

/** `not-done`: nothing has happened, and it is safe to try again. `unknown`: it may have happened. */
export type Outcome = 'not-done' | 'unknown'

interface Details {
  readonly operation?: OperationId | undefined
  readonly problem?: Schemas['Problem'] | undefined
  readonly retryAfterSeconds?: number | undefined
  readonly outcome?: Outcome
  readonly cause?: unknown
}

/** The only error that this package throws. */
export class ParleyError<
  Code extends ErrorCode = ErrorCode,
  Id extends OperationId = OperationId,
> extends Error {
  override readonly name = 'ParleyError'
  readonly code: Code
  /** The operation that failed; undefined if the chat failed. */
  readonly operation: Id | undefined
  /** The problem of the server, with the status, the request id and the validation errors. */
  readonly problem: Schemas['Problem'] | undefined
  readonly retryAfterSeconds: number | undefined
  readonly outcome: Outcome

  constructor(code: Code, { operation, problem, retryAfterSeconds, outcome, cause }: Details = {}) {
    super(problem ? `${code}: ${problem.detail}` : code, { cause })
    this.code = code
    this.operation = operation as Id | undefined
    this.problem = problem
    this.retryAfterSeconds = retryAfterSeconds
    this.outcome = outcome ?? 'not-done'
  }
}

/** The errors of one operation: the problems that its document lists, and those of the client. */
export type ErrorOf<Id extends OperationId> = ParleyError<Operations[Id]['problems'] | ClientCode, Id>

/**
 * Whether an error is from this package, and from the given operation. It compares the name and not the
 * class, so that it also works if a page contains two copies of the package.
 */
export function isParleyError<Id extends OperationId = OperationId>(
  error: unknown,
  operation?: Id,
): error is ErrorOf<Id> {
  const candidate = error as ParleyError | undefined
  return candidate?.name === 'ParleyError' && (!operation || candidate.operation === operation)
}

/** An error from a problem of the server. */
export const problemError = (problem: Schemas['Problem'], details?: Details) =>
  new ParleyError(problem.code as ProblemCode, {
    // After an internal error, the server does not know what it has done.
    outcome: problem.status === 500 ? 'unknown' : 'not-done',
    ...details,
    problem,
  })

/** Whether the same request can succeed later. */
export const isTransient = ({ code, problem }: ParleyError): boolean =>
  problem
    ? problem.status === 429 || problem.status >= 500
    : code === 'network' || code === 'timeout' || code === 'unexpected-response'
