import { epochSeconds, systemClock } from '../clock.ts'
import { commonHeaders } from '../contract/documents.ts'
import { jsonMediaType } from '../contract/operations.ts'
import { type ProblemCode, problemMediaType } from '../contract/problems.ts'
import type { components } from '../contract/types.gen.ts'
import type { ClientAddress, Peer } from '../limits/client-address.ts'
import { countHeader, policyHeader } from '../limits/rate-limits.ts'
import type { Logger } from '../logger.ts'
import type { RequestMetrics } from '../metrics/metrics.ts'
import { allowOriginHeader, type Cors } from './cors.ts'
import type { ToProblem } from './error-handler.ts'
import type { RequestContext } from './request-context.ts'
import { createSuccessLine, elapsedMs } from './success-line.ts'
import { readTraceContext, traceResponse } from './trace-context.ts'

const traceResponseHeader = 'traceresponse' satisfies keyof components['headers']

type HeaderValues = Readonly<Record<string, string>>

/** What all successful responses of one operation have in common. */
interface SuccessOptions {
  readonly method: string
  readonly route: string
  readonly status: number
  /** Headers in addition to `headers()`. */
  readonly headers: HeaderValues
}

export interface Responses {
  startRequest(request: Request, route: string | undefined, peer: Peer | null): RequestContext
  /** The headers that every response has. */
  headers(context: RequestContext): Record<string, string>
  /** Creates a function that responds with the JSON text of a success body. */
  json(options: SuccessOptions): (context: RequestContext, text: string, headers?: HeaderValues) => Response
  /** Converts anything thrown to a problem response. */
  problem(context: RequestContext, thrown: unknown, headers?: HeaderValues): Response
  /** The response to a preflight, or undefined if the request is not one. */
  preflight(request: Request, peer: Peer | null): Response | undefined
  /** Counts the request, and writes its log line. @param code the code of the problem, if the response is one */
  logRequest(context: RequestContext, status: number, code?: ProblemCode): void
}

interface ResponsesOptions {
  readonly logger: Logger
  readonly toProblem: ToProblem
  readonly clientAddress: ClientAddress
  /** Whether log lines contain the addresses of clients. */
  readonly logClientAddress: boolean
  /** Undefined if no page of another origin may read responses. */
  readonly cors: Cors | undefined
  /** Undefined if nothing is counted. */
  readonly metrics?: RequestMetrics | undefined
}

/** Creates the responses. Each has a request id, and a line in the log. */
export function createResponses(options: ResponsesOptions): Responses {
  const { logger, toProblem, clientAddress, cors, metrics } = options
  const logsRequests = logger.isLevelEnabled('info')
  const logsClients = logsRequests && options.logClientAddress

  function startRequest(request: Request, route: string | undefined, peer: Peer | null): RequestContext {
    const requestId = crypto.randomUUID()
    return {
      request,
      route,
      requestId,
      trace: readTraceContext(request, requestId),
      arrivedAt: epochSeconds(),
      startedAt: systemClock.monotonicMs(),
      // Read now, because a connection that has been closed has no address.
      client: logsClients ? clientAddress(request, peer) : undefined,
      userId: undefined,
      limiter: undefined,
      count: undefined,
    }
  }

  function logRequest(context: RequestContext, status: number, code?: ProblemCode): void {
    const { request, route, startedAt } = context
    const now = systemClock.monotonicMs()
    metrics?.count({ method: request.method, route, ms: now - startedAt }, status, code)
    if (logsRequests) writeLine(context, now, status, code)
  }

  function writeLine(context: RequestContext, now: number, status: number, code?: ProblemCode): void {
    const { request, route, requestId, trace, client, userId: user } = context
    const { traceId, spanId, parentId } = trace ?? {}
    const ms = elapsedMs(context, now)
    logger.info(
      { method: request.method, route, status, requestId, ms, code, client, user, traceId, spanId, parentId },
      'request',
    )
  }

  function headersOf(context: RequestContext): Record<string, string> {
    const { request, requestId, trace, limiter, count } = context
    const allowOrigin = cors?.allowOrigin(request)
    return {
      'x-request-id': requestId,
      ...(trace && { [traceResponseHeader]: traceResponse(trace) }),
      ...commonHeaders,
      ...cors?.headers,
      ...(allowOrigin !== undefined && { [allowOriginHeader]: allowOrigin }),
      ...(limiter && { 'ratelimit-policy': policyHeader(limiter) }),
      ...(limiter && count && { ratelimit: countHeader(limiter, count) }),
    }
  }

  /** Sets a header that shared headers may still have from an earlier response. */
  function setOrDelete(headers: Headers, name: string, value: string | undefined): void {
    if (value === undefined) headers.delete(name)
    else headers.set(name, value)
  }

  return {
    startRequest,
    headers: headersOf,
    json({ method, route, status, headers }) {
      const logSuccess = createSuccessLine(logger, { method, route, status })
      const countSuccess = metrics?.counter(method, route, status)
      // Shared by all responses and changed before each: Bun copies the headers when it creates a response
      // (tests/unit/http/responses.test.ts). Converting an object for each response takes twice as long.
      const shared = new Headers({
        ...commonHeaders,
        ...cors?.headers,
        ...headers,
        'content-type': jsonMediaType,
      })
      // An explicit status of 200, which is the default, makes Bun a third slower.
      const init = { headers: shared, ...(status !== 200 && { status }) }
      /** Whether the previous response belonged to a trace. */
      let traced = false
      return (context, text, headers) => {
        const { request, requestId, trace, limiter, count } = context
        if (logsRequests || countSuccess) {
          const now = systemClock.monotonicMs()
          // The route of GET also serves HEAD.
          if (logsRequests && request.method === method) logSuccess(context, now)
          else if (logsRequests) writeLine(context, now, status)
          countSuccess?.(now - context.startedAt)
        }
        shared.set('x-request-id', requestId)
        if (limiter && count) shared.set('ratelimit', countHeader(limiter, count))
        // An operation has the same additional headers in every response, so none remains from an earlier one.
        for (const name in headers) shared.set(name, headers[name] as string)
        if (cors) setOrDelete(shared, allowOriginHeader, cors.allowOrigin(request))
        if (trace || traced) setOrDelete(shared, traceResponseHeader, trace && traceResponse(trace))
        traced = trace !== undefined
        return new Response(text, init)
      }
    },
    problem(context, thrown, headers) {
      const { error, body } = toProblem(thrown, context.requestId)
      logRequest(context, error.status, error.code)
      return Response.json(body, {
        status: error.status,
        headers: { ...headersOf(context), ...headers, ...error.headers, 'content-type': problemMediaType },
      })
    },
    preflight(request, peer) {
      const headers = cors?.preflight(request)
      if (!headers) return undefined
      const context = startRequest(request, undefined, peer)
      logRequest(context, 204)
      return new Response(null, { status: 204, headers: { ...headersOf(context), ...headers } })
    },
    logRequest,
  }
}
