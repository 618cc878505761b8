// Renders src/contract/documents.gen.json: the parts of both documents that the service needs to start.
import type { Header } from '../src/contract/documents.ts'
import { openapi, sources } from '../src/contract/full-documents.ts'

/** Keys that only readers, tests and generators need. A schema may have a property of the same name. */
const omitted = new Set([
  'description',
  'summary',
  'example',
  'examples',
  'messages',
  'tags',
  'servers',
  'securitySchemes',
  'x-request-body',
  'x-request-query',
  'x-frame',
  'x-unmatched-request',
  'x-handshake-responses',
  'x-example-frames',
])

function isNeeded(key: string, parentKey: string): boolean {
  if (parentKey === 'properties') return true
  if (parentKey === 'info') return ['title', 'version', 'summary'].includes(key)
  // A failure has the headers that all responses have; its body is a problem.
  if (parentKey === 'responses') return key.startsWith('2')
  return !omitted.has(key)
}

function neededParts(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => neededParts(item))
  if (typeof value !== 'object' || value === null) return value
  const needed = Object.entries(value).filter(([name]) => isNeeded(name, key))
  return Object.fromEntries(needed.map(([name, item]) => [name, neededParts(item, name)]))
}

/** The headers that have the same constant value in every response. */
function commonHeaders(): Record<string, string> {
  const responses = Object.values(openapi.paths)
    .flatMap((methods) => Object.values(methods))
    .flatMap((operation) => Object.values(operation.responses))
  const isCommon = (name: string, value: unknown) =>
    typeof value === 'string' && responses.every(({ headers }) => headers?.[name]?.schema.const === value)
  const candidates: [string, Header][] = Object.entries(responses[0]?.headers ?? {})
  return Object.fromEntries(
    candidates
      .map(([name, { schema }]): [string, unknown] => [name, schema.const])
      .filter((entry): entry is [string, string] => isCommon(...entry))
      .map(([name, value]) => [name.toLowerCase(), value]),
  )
}

export function renderDocuments(): string {
  const parts = neededParts(sources) as object
  return `${JSON.stringify({ ...parts, commonHeaders: commonHeaders() }, null, 2)}\n`
}
