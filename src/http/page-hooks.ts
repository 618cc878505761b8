import { Elysia, NotFoundError } from 'elysia'
import { ProblemError } from '../contract/problems.ts'
import type { Responses } from './responses.ts'

interface PageHooksOptions {
  readonly responses: Responses
  /** The methods of a path for the `Allow` header, or undefined if no route has the path. */
  readonly allowedMethods: (path: string) => string | undefined
}

/**
 * Gives the pages, which Elysia serves, the headers and log lines that all responses have, and responds to
 * requests that match no route.
 */
export function pageHooks({ responses, allowedMethods }: PageHooksOptions) {
  return new Elysia({ name: 'page-hooks' })
    .onError({ as: 'global' }, ({ request, server, error }) => {
      const preflight = responses.preflight(request, server)
      if (preflight) return preflight
      const context = responses.startRequest(request, undefined, server)
      if (!(error instanceof NotFoundError)) return responses.problem(context, error)
      const allow = allowedMethods(new URL(request.url).pathname)
      if (allow === undefined) return responses.problem(context, new ProblemError('not-found'))
      return responses.problem(context, new ProblemError('method-not-allowed'), { allow })
    })
    .mapResponse({ as: 'global' }, ({ request, server, route, set, responseValue }) => {
      // Responses of onError pass through here as well, and are complete.
      if (responseValue instanceof Response && responseValue.headers.has('x-request-id')) return responseValue
      const context = responses.startRequest(request, route, server)
      const { vary, ...headers } = responses.headers(context)
      Object.assign(set.headers, headers)
      if (vary !== undefined) set.headers.vary = [set.headers.vary, vary].filter(Boolean).join(', ')
      responses.logRequest(context, Number(set.status ?? 200))
      return responseValue as Response
    })
}
