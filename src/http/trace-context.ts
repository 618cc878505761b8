import { traceparentHeader } from '../contract/operations.ts'

/** The trace that a request belongs to (W3C Trace Context). The request is a span of it. */
export interface TraceContext {
  readonly traceId: string
  /** The span of the caller. */
  readonly parentId: string
  /** The span of this request. */
  readonly spanId: string
  /** Two hexadecimal digits: whether the caller records the trace. */
  readonly flags: string
}

const format = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const isZero = (id: string) => /^0+$/.test(id)

/**
 * The last 16 digits of the request id, of which 62 bits are random and the first is never zero. So a line of the
 * log that has only the request id can be assigned to a span as well.
 */
const spanOf = (requestId: string) => requestId.slice(19, 23) + requestId.slice(24)

/**
 * Reads `traceparent`. An invalid value is ignored, as the specification requires: it must not affect the request.
 * Later versions may append fields.
 */
export function readTraceContext(request: Request, requestId: string): TraceContext | undefined {
  const value = request.headers.get(traceparentHeader)
  if (value === null) return undefined
  const [, version, traceId = '', parentId = '', flags = '', rest] = format.exec(value) ?? []
  if (version === undefined || version === 'ff' || isZero(traceId) || isZero(parentId)) return undefined
  if (version === '00' && rest !== undefined) return undefined
  return { traceId, parentId, spanId: spanOf(requestId), flags }
}

/** The value of `traceresponse`: the trace and the span of the request. */
export const traceResponse = ({ traceId, spanId, flags }: TraceContext): string =>
  `00-${traceId}-${spanId}-${flags}`
