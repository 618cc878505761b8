import { allOperations, requestHeaderNames, responseHeaderNames } from '../contract/operations.ts'
import type { IsAllowedOrigin } from './origins.ts'

/** Seconds for which a browser may reuse the result of a preflight. */
const preflightMaxAge = 600

export const allowOriginHeader = 'access-control-allow-origin'

type HeaderValues = Readonly<Record<string, string>>

export interface Cors {
  /** The headers that every response has, from any origin. */
  readonly headers: HeaderValues
  /** The value of `Access-Control-Allow-Origin`, or undefined if the page may not read the response. */
  allowOrigin(request: Request): string | undefined
  /** The additional headers of the response to a preflight; undefined if the request is not one. */
  preflight(request: Request): HeaderValues | undefined
}

interface CorsOptions {
  readonly isAllowed: IsAllowedOrigin
  /** Whether every origin is allowed. Responses then do not depend on the origin, and caches can share them. */
  readonly allowsAny: boolean
}

/** Cross-origin resource sharing (Fetch, section 3.3), applied to every response by `createResponses`. */
export function createCors({ isAllowed, allowsAny }: CorsOptions): Cors {
  const preflightHeaders = {
    'access-control-allow-methods': [...new Set(allOperations.map(({ method }) => method))].join(', '),
    'access-control-allow-headers': requestHeaderNames.join(', '),
    'access-control-max-age': String(preflightMaxAge),
  }
  return {
    headers: {
      ...(!allowsAny && { vary: 'Origin' }),
      'access-control-expose-headers': responseHeaderNames.join(', '),
    },
    allowOrigin(request) {
      if (allowsAny) return '*'
      const origin = request.headers.get('origin')
      return origin !== null && isAllowed(origin) ? origin : undefined
    },
    preflight: (request) =>
      request.method === 'OPTIONS' && request.headers.has('access-control-request-method')
        ? preflightHeaders
        : undefined,
  }
}
