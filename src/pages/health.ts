import { openapi } from '../contract/documents.ts'
import { problemMediaType, unavailable } from '../contract/problems.ts'
import type { ReadinessCode } from '../contract/types.gen.ts'
import type { Route } from '../http/operation-routes.ts'
import type { RequestContext } from '../http/request-context.ts'
import type { Responses } from '../http/responses.ts'

interface HealthOptions {
  /** Why requests cannot be served, or only some of them. */
  readonly unmet: () => readonly ReadinessCode[]
  readonly responses: Responses
}

/** Whether requests can be served although these conditions are unmet. */
export const isReady = (unmet: readonly ReadinessCode[]): boolean =>
  unmet.every((code) => openapi['x-readiness'][code]?.status !== 503)

/**
 * Liveness and readiness, for supervisors and load balancers. They are routes of Bun's router: the first request
 * for a page makes Elysia generate and compile its handler, and a supervisor waits for this one.
 */
export function healthRoutes({ unmet, responses }: HealthOptions) {
  function route(path: string, respond: (context: RequestContext) => Response): { readonly GET: Route } {
    return {
      GET(request, server) {
        const context = responses.startRequest(request, path, server)
        try {
          return respond(context)
        } catch (error) {
          return responses.problem(context, error)
        }
      },
    }
  }

  function success(context: RequestContext, body: object): Response {
    responses.logRequest(context, 200)
    // As for all pages, the caching rules of the operations do not apply.
    const { 'cache-control': _, ...headers } = responses.headers(context)
    return Response.json(body, { headers })
  }

  /** A problem with the additional member `reasons`. */
  function refusal(context: RequestContext, reasons: readonly ReadinessCode[]): Response {
    const code = reasons.includes('draining') ? 'shutting-down' : 'storage-unavailable'
    const error = unavailable(code)
    responses.logRequest(context, error.status, code)
    return Response.json(
      { ...error.toProblem(context.requestId), reasons },
      {
        status: error.status,
        headers: { ...responses.headers(context), ...error.headers, 'content-type': problemMediaType },
      },
    )
  }

  return {
    '/livez': route('/livez', (context) => success(context, { status: 'live' })),
    '/readyz': route('/readyz', (context) => {
      const reasons = unmet()
      if (!isReady(reasons)) return refusal(context, reasons)
      return success(context, { status: 'ready', ...(reasons.length > 0 && { reasons }) })
    }),
  }
}
