import type { Logger } from 'pino'
import { nowSeconds } from '../clock.ts'
import { commonHeaders, jsonMediaType } from '../contract/operations.ts'
import type { ToProblem } from './failures.ts'
import { problemMediaType } from './problems.ts'

/** One request and what its answer will carry. */
export interface Exchange {
  readonly request: Request
  /** The route and not the path: whatever a client puts into a path, a token above all, stays out. */
  readonly route: string | undefined
  readonly requestId: string
  /** Seconds since the epoch. */
  readonly arrivedAt: number
  /** Milliseconds of the monotonic clock. */
  readonly startedAt: number
  /** The values of `RateLimit-Policy` and `RateLimit`, once the request has been counted. */
  rateLimitPolicy: string | undefined
  rateLimit: string | undefined
}

type HeaderValues = Readonly<Record<string, string>>

/** What is the same for all successes of an operation. */
interface AnswerKind {
  readonly method: string
  readonly route: string
  readonly status: number
  /** Those that it has beyond `headers()`. */
  readonly headers: HeaderValues
}

export interface Answers {
  begin(request: Request, route: string | undefined): Exchange
  /** The headers that every answer has. */
  headers(exchange: Exchange): Record<string, string>
  /** Makes the answers of one kind. */
  json(kind: AnswerKind): (exchange: Exchange, body: unknown) => Response
  /** The one way from anything that was thrown to an answer. */
  problem(exchange: Exchange, thrown: unknown, headers?: HeaderValues): Response
  /** Writes the request's line into the log. */
  logged(exchange: Exchange, status: number): void
}

interface AnswersOptions {
  readonly log: Logger
  readonly toProblem: ToProblem
}

/** Makes the answers: each has its request id, and a line in the log. */
export function createAnswers({ log, toProblem }: AnswersOptions): Answers {
  const logs = log.isLevelEnabled('info')

  const elapsedMs = ({ startedAt }: Exchange) => Math.round((performance.now() - startedAt) * 100) / 100

  function logged(exchange: Exchange, status: number): void {
    if (!logs) return
    const { request, route, requestId } = exchange
    log.info({ method: request.method, route, status, requestId, ms: elapsedMs(exchange) }, 'request')
  }

  function headersOf({ requestId, rateLimitPolicy, rateLimit }: Exchange): Record<string, string> {
    return {
      'x-request-id': requestId,
      ...commonHeaders,
      ...(rateLimitPolicy !== undefined && { 'ratelimit-policy': rateLimitPolicy }),
      ...(rateLimit !== undefined && { ratelimit: rateLimit }),
    }
  }

  return {
    begin(request, route) {
      return {
        request,
        route,
        requestId: crypto.randomUUID(),
        arrivedAt: nowSeconds(),
        startedAt: logs ? performance.now() : 0,
        rateLimitPolicy: undefined,
        rateLimit: undefined,
      }
    },
    headers: headersOf,
    json({ method, route, status, headers }) {
      // What is known is turned into text once: it halves the cost of a line.
      const line = log.child({ method, route, status })
      // Shared by all answers of the kind, each of which copies it: half the cost of an object's conversion.
      const shared = new Headers({ ...commonHeaders, ...headers, 'content-type': jsonMediaType })
      // Bun takes a third longer where it is told 200, which it would take anyway.
      const init = { headers: shared, ...(status !== 200 && { status }) }
      return (exchange, body) => {
        const { request, requestId } = exchange
        // A HEAD is answered by the route of GET.
        if (logs && request.method === method) line.info({ requestId, ms: elapsedMs(exchange) }, 'request')
        else logged(exchange, status)
        shared.set('x-request-id', requestId)
        if (exchange.rateLimit !== undefined) shared.set('ratelimit', exchange.rateLimit)
        return Response.json(body, init)
      }
    },
    problem(exchange, thrown, headers) {
      const { error, body } = toProblem(thrown, exchange.requestId)
      logged(exchange, error.status)
      return Response.json(body, {
        status: error.status,
        headers: { ...headersOf(exchange), ...headers, ...error.headers, 'content-type': problemMediaType },
      })
    },
    logged,
  }
}
