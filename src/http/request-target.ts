/** The path and the query of a request, as the client wrote them. */
export interface RequestTarget {
  readonly path: string
  /** Without the question mark; empty if there is none. */
  readonly query: string
}

/**
 * Splits the target of a request. It never throws, unlike `new URL`: `request.url` in Bun is no URL if
 * `Host` is missing or is not a valid host. It is then the target itself, such as `/path?query`.
 *
 * If `Host` is valid, Bun has already removed dot segments and replaced backslashes in the path. Use the
 * path to describe a request, not to route it.
 */
export function requestTarget({ url }: Request): RequestTarget {
  // Bun accepts no host with a slash. The target of CONNECT is an authority and has no path.
  const start = url.startsWith('/') ? 0 : url.indexOf('/', url.indexOf('://') + 3)
  if (start === -1) return { path: '', query: '' }
  const fragment = url.indexOf('#', start)
  const end = fragment === -1 ? url.length : fragment
  const mark = url.slice(0, end).indexOf('?', start)
  if (mark === -1) return { path: url.slice(start, end), query: '' }
  return { path: url.slice(start, mark), query: url.slice(mark + 1, end) }
}
