import { DOCUMENT_NAMES, type Documents, type Node } from './documents.ts'

/** One change in one place of one document. */
export interface Mutant {
  id: string
  /** A changed copy of the documents. */
  documents(): Documents
}

type Change = [what: string, apply: (parent: Node, key: string) => void]

/** Keys without an effect on traffic: documentation for readers and tools. */
const PROSE = new Set([
  'description',
  'summary',
  'title',
  'when',
  'action',
  'info',
  'tags',
  'operationId',
  'x-service-paths',
])

/** Generates every mutant of both documents. */
export function* mutantsOf(documents: Documents): Generator<Mutant> {
  for (const name of DOCUMENT_NAMES) {
    const seen = new Set<object>()
    for (const path of placesOf(documents[name], [], seen)) {
      const [holder, key] = find(documents[name], path)
      for (const [what, apply] of changesOf(holder[key], path)) {
        const pointer = path.map((one) => one.replaceAll('~', '~0').replaceAll('/', '~1')).join('/')
        yield {
          id: `${name}#/${pointer}: ${what}`,
          documents() {
            // structuredClone preserves aliases, so that a change of an anchor applies to all its uses.
            const copy = structuredClone(documents)
            apply(...find(copy[name], path))
            return copy
          },
        }
      }
    }
  }
}

/** The parent node of a path, and the last key. */
function find(document: Node, path: string[]): [parent: Node, key: string] {
  let parent = document
  for (const step of path.slice(0, -1)) parent = parent[step] as Node
  return [parent, path.at(-1) ?? '']
}

function* placesOf(node: unknown, path: string[], seen: Set<object>): Generator<string[]> {
  if (typeof node !== 'object' || node === null || seen.has(node)) return
  seen.add(node)
  for (const [key, value] of Object.entries(node)) {
    const inData = path.some((one) => one === 'examples' || one === 'x-problems' || one === 'properties')
    if (
      PROSE.has(key) &&
      !(inData && path.at(-1) !== 'x-problems' && isData(path)) &&
      !(key === 'title' && path.includes('x-problems'))
    )
      continue
    const here = [...path, key]
    yield here
    yield* placesOf(value, here, seen)
  }
}

/** Whether keys at this path are data, not keywords: in examples, payloads and `properties`. */
function isData(path: string[]): boolean {
  return path.at(-1) === 'properties' || inExample(path)
}

function inExample(path: string[]): boolean {
  const at = path.lastIndexOf('examples')
  return (
    at >= 0 &&
    path.slice(at + 1).some((one) => ['value', 'payload', 'x-request-body', 'x-request-query'].includes(one))
  )
}

const set = (value: unknown) => (parent: Node, key: string) => {
  parent[key] = value
}
const drop = (parent: Node, key: string) => {
  if (Array.isArray(parent)) parent.splice(Number(key), 1)
  else delete parent[key]
}
const rename = (to: string) => (parent: Node, key: string) => {
  parent[to] = parent[key]
  delete parent[key]
}

const LIMITS =
  /^(minLength|maxLength|minimum|maximum|minItems|maxItems|default|quota|window|refusals|code|status|ping-after-seconds|close-after-seconds|request-body-bytes|x-max-frame-bytes|free-failures|first-wait|longest-wait|forgotten-after)$/

function changesOf(value: unknown, path: string[]): Change[] {
  const key = path.at(-1) ?? ''
  const parent = path.at(-2) ?? ''
  const other: Record<string, string> = {
    string: 'integer',
    integer: 'string',
    object: 'array',
    array: 'object',
    null: 'boolean',
  }
  if (inExample(path))
    return typeof value === 'object' && value !== null ? [] : [['another value', set(anotherValue(value))]]
  if (
    key === '$ref' ||
    key === 'openapi' ||
    key === 'asyncapi' ||
    path[0] === 'servers' ||
    path[0] === 'defaultContentType'
  ) {
    return path[0] === 'servers' && key === 'security' ? [['dropped', drop]] : []
  }
  if (parent === 'properties')
    return [
      ['renamed', renameProperty],
      ['dropped', drop],
    ]
  if (parent === 'required') return [['dropped', drop]]
  if (parent === 'enum' || parent === 'x-extensible-enum')
    return [
      ['dropped', drop],
      ['another value', set(anotherValue(value))],
    ]
  if (parent === 'allOf' || parent === 'anyOf') return [['dropped', drop]]
  if (parent === 'responses' && path[0] === 'paths')
    return [
      ['dropped', drop],
      ['another status', rename(key === '418' ? '419' : '418')],
    ]
  if (parent === 'x-handshake-responses' || parent === 'x-unmatched-request')
    return [
      ['dropped', drop],
      ['another status', rename('418')],
    ]
  if (parent === 'content') return [['another media type', rename('text/plain')]]
  if (parent === 'headers' && (path.includes('responses') || path[0] === 'paths'))
    return [
      ['dropped', drop],
      ['renamed', rename('X-Another')],
    ]
  if (parent === 'messages' && path.includes('reply')) return [['dropped', drop]]
  if (parent === 'x-example-frames')
    return [
      ['dropped', drop],
      ['another value', set(anotherValue(value))],
    ]
  if (parent === 'close-codes')
    return [
      ['dropped', drop],
      ['another value', set(anotherValue(value))],
    ]
  if (parent === 'x-close-codes') return [['dropped', drop]]
  if (parent === 'paths') return [['renamed', rename(`${key}/x`)]]
  if (path[0] === 'paths' && path.length === 3 && key === 'get') return [['another method', rename('put')]]
  if (path[0] === 'paths' && path.length === 3 && key === 'post') return [['another method', rename('put')]]
  if (parent === 'parameters' && path[0] === 'paths') return [['dropped', drop]]
  if (key === 'security' && Array.isArray(value))
    return [value.length === 0 ? ['required', set([{ bearerAuth: [] }])] : ['dropped', set([])]]
  if (key === 'readOnly') return [['dropped', drop]]
  if (key === 'additionalProperties') return [['opened', set(true)]]
  if (key === 'format' && value === 'password') return []
  if (key === 'format')
    return [
      ['dropped', drop],
      ['another format', set(value === 'uuid' ? 'date-time' : 'uuid')],
    ]
  if (key === 'pattern')
    return [
      ['dropped', drop],
      ['narrowed', set('^q{77}$')],
    ]
  if (key === 'type' && typeof value === 'string' && other[value])
    return [['another type', set(other[value])]]
  if (key === 'const' || key === 'example') return [['another value', set(anotherValue(value))]]
  if (key === 'required' && typeof value === 'boolean') return [['dropped', drop]]
  if (LIMITS.test(key) && typeof value === 'number')
    return [
      ['one more', set(value + 1)],
      ['one less', set(value - 1)],
    ]
  if (
    /^(policy|partition|reason|address|method|action|scheme|in|name|detail|title|subprotocol|x-subprotocol|x-token-subprotocol-prefix)$/.test(
      key,
    ) &&
    typeof value === 'string'
  ) {
    if (path.includes('info') || (key === 'name' && path.includes('messages'))) return []
    const swapped: Record<string, string> = {
      ip: 'user',
      user: 'ip',
      receive: 'send',
      send: 'receive',
      GET: 'POST',
      header: 'query',
      query: 'header',
    }
    return [['another value', set(key === 'policy' ? 'another' : (swapped[value] ?? `${value}x`))]]
  }
  return []
}

function renameProperty(parent: Node, key: string): void {
  rename(`${key}2`)(parent, key)
}

function anotherValue(value: unknown): unknown {
  if (typeof value === 'string') return /^[0-9]+$/.test(value) ? String(Number(value) + 1) : `${value}z`
  return typeof value === 'number' ? value + 1 : 'another'
}
