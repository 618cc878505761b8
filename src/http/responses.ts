import type { Logger } from 'pino'
import { epochSeconds, systemClock } from '../clock.ts'
import { commonHeaders, jsonMediaType } from '../contract/operations.ts'
import { type ProblemCode, problemMediaType } from '../contract/problems.ts'
import type { ClientAddress, Peer } from '../limits/client-address.ts'
import { countHeader, policyHeader } from '../limits/rate-limits.ts'
import type { RequestMetrics } from '../metrics/metrics.ts'
import { allowOriginHeader, type Cors } from './cors.ts'
import type { ToProblem } from './error-handler.ts'
import type { RequestContext } from './request-context.ts'
import { createSuccessLine, elapsedMs } from './success-line.ts'

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
    return {
      request,
      route,
      requestId: crypto.randomUUID(),
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
    metrics?.count({ method: request.method, route, startedAt }, status, code)
    if (logsRequests) writeLine(context, status, code)
  }

  function writeLine(context: RequestContext, status: number, code?: ProblemCode): void {
    const { request, route, requestId, client, userId } = context
    const ms = elapsedMs(context)
    logger.info(
      { method: request.method, route, status, requestId, ms, code, client, user: userId },
      'request',
    )
  }

  function headersOf({ request, requestId, limiter, count }: RequestContext): Record<string, string> {
    const allowOrigin = cors?.allowOrigin(request)
    return {
      'x-request-id': requestId,
      ...commonHeaders,
      ...cors?.headers,
      ...(allowOrigin !== undefined && { [allowOriginHeader]: allowOrigin }),
      ...(limiter && { 'ratelimit-policy': policyHeader(limiter) }),
      ...(limiter && count && { ratelimit: countHeader(limiter, count) }),
    }
  }

  function setAllowOrigin(headers: Headers, allowOrigin: string | undefined): void {
    if (allowOrigin === undefined) headers.delete(allowOriginHeader)
    else headers.set(allowOriginHeader, allowOrigin)
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
      return (context, text, headers) => {
        const { request, requestId, limiter, count } = context
        // The route of GET also serves HEAD.
        if (logsRequests && request.method === method) logSuccess(context)
        else if (logsRequests) writeLine(context, status)
        countSuccess?.(context.startedAt)
        shared.set('x-request-id', requestId)
        if (limiter && count) shared.set('ratelimit', countHeader(limiter, count))
        // An operation has the same additional headers in every response, so none remains from an earlier one.
        for (const name in headers) shared.set(name, headers[name] as string)
        if (cors) setAllowOrigin(shared, cors.allowOrigin(request))
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
