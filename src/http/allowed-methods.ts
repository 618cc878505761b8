export interface RoutePath {
  readonly method: string
  readonly path: string
}

/**
 * Creates a function that returns the methods of a path, for the `Allow` header, or undefined if no route
 * has the path.
 *
 * @param routes all routes; `:name` in a path matches one segment
 */
export function createAllowedMethods(routes: readonly RoutePath[]) {
  const paths = new Map<string, { pattern: RegExp; methods: Set<string> }>()
  for (const { method, path } of routes) {
    const segments = path.split('/').map((part) => (part.startsWith(':') ? '[^/]+' : RegExp.escape(part)))
    const entry = paths.get(path) ?? { pattern: new RegExp(`^${segments.join('/')}$`), methods: new Set() }
    entry.methods.add(method)
    if (method === 'GET') entry.methods.add('HEAD')
    paths.set(path, entry)
  }
  return (path: string): string | undefined => {
    for (const { pattern, methods } of paths.values()) {
      if (pattern.test(path)) return [...methods].sort().join(', ')
    }
    return undefined
  }
}
