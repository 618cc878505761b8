import { ProblemError } from '../contract/problems.ts'
import type { Peer } from '../limits/client-address.ts'
import { createAllowedMethods, type RoutePath } from './allowed-methods.ts'
import { requestTarget } from './request-target.ts'
import type { Responses } from './responses.ts'

type Refuse = (request: Request, server: Peer) => Response

interface UnmatchedRequestsOptions {
  /** All routes of the service. */
  readonly routes: readonly RoutePath[]
  readonly responses: Responses
}

/** The methods that a route of Bun's router can name. Requests with other methods match only `/*`. */
const routerMethods = ['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'TRACE']

/**
 * The routes of Bun's router for all requests that match no route of the service: 405 for another method of
 * a path, 404 for another path, and CORS preflights.
 *
 * Bun's router compares paths literally, whereas `request.url` has already been normalised. The router
 * therefore decides which of the two applies, so that `/api/users/./profile` is 404 for every method that
 * the router knows.
 */
export function unmatchedRequests({ routes, responses }: UnmatchedRequestsOptions) {
  const allowedMethods = createAllowedMethods(routes)

  const methodNotAllowed =
    (allow: string): Refuse =>
    (request, server) =>
      responses.preflight(request, server) ??
      responses.problem(
        responses.startRequest(request, undefined, server),
        new ProblemError('method-not-allowed'),
        {
          allow,
        },
      )

  function unknownPath(request: Request, server: Peer): Response {
    const allow = routerMethods.includes(request.method)
      ? undefined
      : allowedMethods(requestTarget(request).path)
    if (allow !== undefined) return methodNotAllowed(allow)(request, server)
    const preflight = responses.preflight(request, server)
    if (preflight) return preflight
    return responses.problem(
      responses.startRequest(request, undefined, server),
      new ProblemError('not-found'),
    )
  }

  const refusals: Record<string, Record<string, Refuse>> = {}
  for (const { path } of routes) {
    const allow = allowedMethods(path) as string
    const others = routerMethods.filter((method) => !allow.split(', ').includes(method))
    refusals[path] = Object.fromEntries(others.map((method) => [method, methodNotAllowed(allow)]))
  }
  return { refusals, unknownPath }
}
