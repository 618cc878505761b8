/** Whether pages of an origin may use the service. */
export type IsAllowedOrigin = (origin: string) => boolean

/** Whether a request may come from the page that its `Origin` header names. */
export type IsAllowedRequest = (request: Request) => boolean

interface OriginsOptions {
  readonly allowed: readonly string[]
  readonly development: boolean
}

const isLocal = (origin: string) => /^https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/.test(origin)

/** Allows the configured origins, and in development the origins of localhost as well. */
export const createOriginCheck =
  ({ allowed, development }: OriginsOptions): IsAllowedOrigin =>
  (origin) =>
    allowed.includes('*') || allowed.includes(origin) || (development && isLocal(origin))

/**
 * Checks the origin of a request. Requests without an `Origin` header pass, because only browsers send it
 * and only they need this protection. A page served by this host always passes.
 */
export function createRequestOriginCheck(isAllowed: IsAllowedOrigin): IsAllowedRequest {
  return (request) => {
    const origin = request.headers.get('origin')
    if (origin === null || isAllowed(origin)) return true
    return URL.canParse(origin) && new URL(origin).host === request.headers.get('host')
  }
}
