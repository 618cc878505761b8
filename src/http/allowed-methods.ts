import { once } from '../once.ts'

export interface RoutePath {
  readonly method: string
  readonly path: string
}

function toPattern(path: string): RegExp {
  const segments = path.split('/').map((part) => (part.startsWith(':') ? '[^/]+' : RegExp.escape(part)))
  return new RegExp(`^${segments.join('/')}$`)
}

/**
 * Creates a function that returns the methods of a path, for the `Allow` header, or undefined if no route
 * has the path.
 *
 * @param routes all routes; `:name` in a path matches one segment
 */
export function createAllowedMethods(routes: readonly RoutePath[]) {
  const methodsByPath = new Map<string, Set<string>>()
  for (const { method, path } of routes) {
    const methods = methodsByPath.get(path) ?? new Set()
    methods.add(method)
    if (method === 'GET') methods.add('HEAD')
    methodsByPath.set(path, methods)
  }
  // Compiled at the first request that needs them, because it takes longer than the rest of this function.
  const patterns = once(() =>
    [...methodsByPath].map(([path, methods]) => ({ pattern: toPattern(path), methods })),
  )
  return (path: string): string | undefined => {
    const methods = methodsByPath.get(path) ?? patterns().find(({ pattern }) => pattern.test(path))?.methods
    return methods && [...methods].sort().join(', ')
  }
}
