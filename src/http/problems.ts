import { openapi } from '../contract/documents.ts'
import type { ValidationError } from '../contract/explain.ts'
import type { components, ProblemStatus } from '../contract/types.gen.ts'

export type ProblemCode = keyof ProblemStatus
export type Problem = components['schemas']['Problem']

/** The document's catalogue: status, texts and advice of each problem code. */
export const catalogue = openapi['x-problems'] as Readonly<
  Record<ProblemCode, (typeof openapi)['x-problems'][string]>
>

export const problemMediaType = 'application/problem+json'
export const problemPath = (code: string) => `/problems/${code}`

interface ProblemOptions {
  readonly errors?: readonly ValidationError[]
  readonly supportedVersions?: readonly string[]
  readonly retryAfterSeconds?: number
  readonly cause?: unknown
}

/**
 * A failure that the document knows. Throw it anywhere below a request or a frame; one place turns it
 * into an answer.
 */
export class ProblemError extends Error {
  readonly code: ProblemCode
  readonly options: ProblemOptions

  constructor(code: ProblemCode, options: ProblemOptions = {}) {
    super(code, { cause: options.cause })
    this.code = code
    this.options = options
  }

  get status(): number {
    return catalogue[this.code].status
  }

  /** Problem details (RFC 9457) of this occurrence. */
  toProblem(requestId: string): Problem {
    const { status, title, detail } = catalogue[this.code]
    const { errors, supportedVersions } = this.options
    return {
      type: problemPath(this.code),
      title,
      status,
      detail,
      instance: `urn:uuid:${requestId}`,
      code: this.code,
      requestId,
      ...(errors && { errors: [...errors] }),
      ...(supportedVersions && { supportedVersions: [...supportedVersions] }),
    }
  }

  /** The headers that belong to this problem, whatever the request. */
  get headers(): Record<string, string> {
    const { retryAfterSeconds } = this.options
    return {
      ...(this.status === 401 && {
        'www-authenticate': this.code === 'invalid-token' ? 'Bearer error="invalid_token"' : 'Bearer',
      }),
      ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
    }
  }
}

/** Seconds after which trying again makes sense where nothing tells more exactly. */
const soon = 1

export const unavailable = (code: ProblemCode, cause?: unknown) =>
  new ProblemError(code, { retryAfterSeconds: soon, cause })
