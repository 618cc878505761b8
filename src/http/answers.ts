import type { Logger } from 'pino'
import { commonHeaders } from '../contract/operations.ts'
import type { ToProblem } from './failures.ts'
import { problemMediaType } from './problems.ts'

/** One request and what its answer will carry. */
export interface Exchange {
  readonly request: Request
  /** The route and not the path: whatever a client puts into a path, a token above all, stays out. */
  readonly route: string | undefined
  readonly requestId: string
  readonly startedAt: number
  /** Of the answer. */
  readonly headers: Record<string, string>
}

export interface Answers {
  begin(request: Request, route: string | undefined): Exchange
  json(exchange: Exchange, status: number, body: unknown): Response
  /** The one way from anything that was thrown to an answer. */
  problem(exchange: Exchange, thrown: unknown): Response
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

  function logged({ request, route, requestId, startedAt }: Exchange, status: number): void {
    if (!logs) return
    const ms = Math.round((performance.now() - startedAt) * 100) / 100
    log.info({ requestId, method: request.method, route, status, ms }, 'request')
  }

  return {
    begin(request, route) {
      const requestId = Bun.randomUUIDv7()
      const startedAt = logs ? performance.now() : 0
      return {
        request,
        route,
        requestId,
        startedAt,
        headers: { 'x-request-id': requestId, ...commonHeaders },
      }
    },
    json(exchange, status, body) {
      logged(exchange, status)
      return Response.json(body, { status, headers: exchange.headers })
    },
    problem(exchange, thrown) {
      const { error, body } = toProblem(thrown, exchange.requestId)
      logged(exchange, error.status)
      Object.assign(exchange.headers, error.headers)
      exchange.headers['content-type'] = problemMediaType
      return Response.json(body, { status: error.status, headers: exchange.headers })
    },
    logged,
  }
}
