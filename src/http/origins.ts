/** Whether pages of an origin may use the service. */
export type IsAllowedOrigin = (origin: string) => boolean

/** Whether a request may come from the page that its `Origin` header names. */
export type IsAllowedRequest = (request: Request) => boolean

interface OriginsOptions {
  /** Entries that `originFault` accepts. */
  readonly allowed: readonly string[]
  readonly development: boolean
}

const isLocal = (origin: string) => /^https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/.test(origin)

const isWebScheme = (scheme: string) => scheme === 'http' || scheme === 'https'

/** Schemes of addresses that are not the origin of a page, or of pages whose origin is `null`. */
const schemesWithoutOrigin = ['about', 'blob', 'data', 'file', 'ftp', 'javascript', 'mailto', 'ws', 'wss']

const label = '[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?'

/** The origin of a web address, with `*` for the first label if the address has it; undefined if invalid. */
function canonicalWebOrigin(address: string): string | undefined {
  const wildcard = /^(https?:\/\/)\*\.(.*)$/i.exec(address)
  const url = URL.parse(wildcard ? `${wildcard[1]}${wildcard[2]}` : address)
  if (!url?.hostname || url.hostname.includes('*')) return undefined
  if (!wildcard) return url.origin
  const labels = url.hostname.split('.').filter(Boolean)
  // `*.com` would include every site below .com. A number as the last label makes the host an address.
  const isDomain = /^[a-z]/.test(labels.at(-1) ?? '') && (labels.length > 1 || labels[0] === 'localhost')
  return isDomain ? url.origin.replace('://', '://*.') : undefined
}

/** The origin of an app's pages, such as `capacitor://localhost`; undefined if the address is invalid. */
function canonicalAppOrigin(address: string): string | undefined {
  const origin = /^([a-z][a-z0-9+.-]*:\/\/[a-z0-9._~-]+(?::\d{1,5})?)(?:[/?#]|$)/.exec(address.toLowerCase())
  return origin?.[1]
}

/**
 * What is wrong with an entry of `CORS_ORIGINS`, or undefined if it is `*`, an origin as browsers write it,
 * or an origin whose host begins with `*.`, which matches one or more labels.
 */
export function originFault(entry: string): string | undefined {
  if (entry === '*') return undefined
  if (entry.toLowerCase() === 'null') return 'is the origin of every sandboxed page and local file'
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(entry)?.[1]?.toLowerCase()
  if (scheme === undefined) return 'has no scheme, such as https://'
  if (schemesWithoutOrigin.includes(scheme)) return `is not the origin of a page: ${scheme}:// has none`
  const canonical = isWebScheme(scheme) ? canonicalWebOrigin(entry) : canonicalAppOrigin(entry)
  if (canonical === entry) return undefined
  if (canonical !== undefined) return `must be written ${canonical}`
  if (entry.includes('*')) return 'has * in the wrong place: write https://*.example.com for all subdomains'
  return 'has no valid host'
}

/** Creates the check for the subdomains that an entry such as `https://*.example.com:8443` allows. */
function createSubdomainCheck(entry: string): IsAllowedOrigin {
  const [scheme = '', parent = ''] = entry.split('*.')
  const pattern = new RegExp(`^${RegExp.escape(scheme)}(?:${label}\\.)+${RegExp.escape(parent)}$`)
  return (origin) => pattern.test(origin)
}

/** Allows the configured origins, and in development the origins of localhost as well. */
export function createOriginCheck({ allowed, development }: OriginsOptions): IsAllowedOrigin {
  if (allowed.includes('*')) return () => true
  const exact = new Set(allowed.filter((entry) => !entry.includes('*')))
  const subdomains = allowed.filter((entry) => entry.includes('*')).map(createSubdomainCheck)
  return (text) => {
    // Not every app's browser writes the scheme and the host in lower case.
    const origin = text.toLowerCase()
    return exact.has(origin) || subdomains.some((check) => check(origin)) || (development && isLocal(origin))
  }
}

/** Whether the page was served by the host that the request names. A proxy may have added or removed TLS. */
function isSameHost(origin: string, host: string | null): boolean {
  const page = URL.parse(origin)
  if (page === null || !isWebScheme(page.protocol.slice(0, -1))) return false
  if (host === null || !/^[^\s/?#@\\]+$/.test(host)) return false
  // With the page's scheme, so that its default port may be written or left out.
  return URL.parse(`${page.protocol}//${host}`)?.host === page.host
}

/**
 * Checks the origin of a request. Requests without an `Origin` header pass, because only browsers send it
 * and only they need this protection. A page served by this host always passes.
 */
export function createRequestOriginCheck(isAllowed: IsAllowedOrigin): IsAllowedRequest {
  return (request) => {
    const origin = request.headers.get('origin')
    return origin === null || isAllowed(origin) || isSameHost(origin, request.headers.get('host'))
  }
}
