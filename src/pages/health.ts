import { unavailable } from '../contract/problems.ts'
import type { Route } from '../http/operation-routes.ts'
import type { Responses } from '../http/responses.ts'

interface HealthOptions {
  readonly isDraining: () => boolean
  readonly isReady: () => boolean
  readonly responses: Responses
}

/**
 * Liveness and readiness, for supervisors and load balancers. They are routes of Bun's router: the first request
 * for a page makes Elysia generate and compile its handler, and a supervisor waits for this one.
 */
export function healthRoutes({ isDraining, isReady, responses }: HealthOptions) {
  /** @param check returns the status, or throws a problem */
  function route(path: string, check: () => string): { readonly GET: Route } {
    return {
      GET(request, server) {
        const context = responses.startRequest(request, path, server)
        try {
          const body = { status: check() }
          responses.logRequest(context, 200)
          // As for all pages, the caching rules of the operations do not apply.
          const { 'cache-control': _, ...headers } = responses.headers(context)
          return Response.json(body, { headers })
        } catch (error) {
          return responses.problem(context, error)
        }
      },
    }
  }

  return {
    '/livez': route('/livez', () => 'live'),
    '/readyz': route('/readyz', () => {
      if (isDraining()) throw unavailable('shutting-down')
      if (!isReady()) throw unavailable('storage-unavailable')
      return 'ready'
    }),
  }
}
