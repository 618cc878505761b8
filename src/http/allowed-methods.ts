interface Route {
  readonly method: string
  readonly path: string
}

/**
 * The methods that a path has, for `Allow`; undefined for a path that is not there.
 *
 * @param routes of the app, `:name` standing for one segment
 */
export function createAllowedMethods(routes: readonly Route[]) {
  const paths = new Map<string, { pattern: RegExp; methods: Set<string> }>()
  for (const { method, path } of routes) {
    if (path.includes('*')) continue
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
