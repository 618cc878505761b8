import type { TSchema } from '@sinclair/typebox'
import { openapi } from './documents.ts'
import { explainErrors, type ValidationError } from './explain.ts'
import type { components, ProblemStatus } from './types.gen.ts'

export type ProblemCode = keyof ProblemStatus
export type Problem = components['schemas']['Problem']

/** The document's catalogue: status, texts and advice of each problem code. */
export const catalogue = openapi['x-problems'] as Readonly<
  Record<ProblemCode, (typeof openapi)['x-problems'][string]>
>

/** The only version of the WebSocket protocol (RFC 6455) that the server supports. */
export const supportedWebSocketVersion = openapi.components.headers['Sec-WebSocket-Version']?.schema
  .const as string

export const problemMediaType = 'application/problem+json'
export const problemPath = (code: string) => `/problems/${code}`

export interface ProblemOptions {
  readonly errors?: readonly ValidationError[]
  readonly supportedVersions?: readonly string[]
  readonly retryAfterSeconds?: number
  readonly cause?: unknown
}

/**
 * A documented failure. Throw it, or a subclass, anywhere below a request or a frame: the error handler
 * turns it into a response.
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

  /** The problem details (RFC 9457) of this occurrence. */
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

  /** The response headers that this problem requires on any request. */
  get headers(): Record<string, string> {
    const { retryAfterSeconds } = this.options
    return {
      ...(this.status === 401 && {
        'www-authenticate': this.code === 'invalid-token' ? 'Bearer error="invalid_token"' : 'Bearer',
      }),
      ...(this.status === 426 && { 'sec-websocket-version': supportedWebSocketVersion }),
      ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
    }
  }
}

/** Seconds until a retry makes sense when nothing more exact is known. */
export const defaultRetryAfterSeconds = 1

/** A failure that a retry may resolve. */
export const unavailable = (code: ProblemCode, cause?: unknown) =>
  new ProblemError(code, { retryAfterSeconds: defaultRetryAfterSeconds, cause })

/** A value that violates its schema. */
export const validationFailed = (schema: TSchema, value: unknown) =>
  new ProblemError('validation-failed', { errors: explainErrors(schema, value) })
