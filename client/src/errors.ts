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
  /** The operation that failed; undefined if the chat failed. */
  readonly operation?: OperationId | undefined
  /** The problem of the server, with the status, the request id and the validation errors. */
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
  declare readonly code: Code
  declare readonly operation: Id | undefined
  declare readonly problem: Details['problem']
  declare readonly retryAfterSeconds: number | undefined
  declare readonly outcome: Outcome

  constructor(code: Code, details: Details = {}) {
    super(details.problem ? `${code}: ${details.problem.detail}` : code)
    Object.assign(this, { outcome: 'not-done' }, details, { name: 'ParleyError', code })
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

/** The error of a problem. Without a problem, the response is not from Parley. */
export const responseError = (body: Schemas['Problem'] | undefined, details?: Details) => {
  const problem = body?.code ? body : undefined
  return new ParleyError((problem?.code ?? 'unexpected-response') as ErrorCode, {
    ...details,
    problem,
    // After an internal error, the server does not know what it has done.
    outcome: !problem || problem.status === 500 ? 'unknown' : 'not-done',
  })
}

/** Whether the same request can succeed later. */
export const isTransient = ({ code, problem }: ParleyError): boolean =>
  problem
    ? problem.status === 429 || problem.status >= 500
    : code === 'network' || code === 'timeout' || code === 'unexpected-response'
