import { channelPath } from '../contract/frames.ts'
import { allOperations } from '../contract/operations.ts'

const operationIds = new Map(allOperations.map(({ id, method, path }) => [`${method} ${path}`, id as string]))

const supervision = new Set(['/livez', '/readyz'])

/**
 * The value of the label `operation`: the `operationId` of the document, or one of a few others. A route is a
 * path of the service and never what a client sends, so the number of values is fixed.
 */
export function operationLabel(method: string, route: string | undefined, status: number): string {
  if (route === undefined) return 'unmatched'
  // The route of GET also serves HEAD.
  const id = operationIds.get(`${method === 'HEAD' ? 'GET' : method} ${route}`)
  if (id !== undefined) return id
  if (route === channelPath) return status === 200 ? 'page' : 'connect'
  return supervision.has(route) ? 'health' : 'page'
}
