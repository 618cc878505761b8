import { Elysia } from 'elysia'
import type { Responses } from './responses.ts'

/** Gives the pages, which Elysia serves, the headers and log lines that all responses have. */
export function pageHooks({ responses }: { readonly responses: Responses }) {
  return new Elysia({ name: 'page-hooks' })
    .onError({ as: 'global' }, ({ request, server, error }) =>
      responses.problem(responses.startRequest(request, undefined, server), error),
    )
    .mapResponse({ as: 'global' }, ({ request, server, route, set, responseValue }) => {
      // Responses of onError pass through here as well, and are complete.
      if (responseValue instanceof Response && responseValue.headers.has('x-request-id')) return responseValue
      const context = responses.startRequest(request, route, server)
      // Pages and documents have their own rules for caches.
      const { vary, 'cache-control': _, ...headers } = responses.headers(context)
      Object.assign(set.headers, headers)
      if (vary !== undefined) set.headers.vary = [set.headers.vary, vary].filter(Boolean).join(', ')
      responses.logRequest(context, Number(set.status ?? 200))
      return responseValue as Response
    })
}
