export type IsAllowedOrigin = (request: Request) => boolean

interface OriginsOptions {
  readonly allowed: readonly string[]
  readonly development: boolean
}

const isLocal = (origin: string) => /^https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/.test(origin)

/** Whether pages of an origin may call: those that are configured, and in development localhost's. */
export const createOriginCheck =
  ({ allowed, development }: OriginsOptions) =>
  (origin: string): boolean =>
    allowed.includes('*') || allowed.includes(origin) || (development && isLocal(origin))

/**
 * Whether a request may come from where it says it comes. Only browsers send an origin; those that do
 * not are not what this protects from. A page of this very host is always allowed.
 */
export function createRequestOriginCheck(isAllowed: (origin: string) => boolean): IsAllowedOrigin {
  return (request) => {
    const origin = request.headers.get('origin')
    if (origin === null || isAllowed(origin)) return true
    return URL.canParse(origin) && new URL(origin).host === request.headers.get('host')
  }
}
