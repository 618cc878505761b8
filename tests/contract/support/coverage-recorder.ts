import { isOperation, targetOf } from './checks.ts'
import { type Contract, matchesTemplate, pathValues, type ResponseObject, type Schema } from './contract.ts'
import type { Coverage } from './coverage.ts'
import type { Json } from './documents.ts'
import {
  type ExpectedProblems,
  expectedProblemsOfHandshake,
  expectedProblemsOfRequest,
  MALFORMED,
  parseJson,
} from './expected-outcomes.ts'
import { branchesOf, matchesExample, violationsOf } from './schemas.ts'
import type { Exchange, ServerStarted } from './traffic.ts'

/** What the recorder needs to know about the server of an event. */
export interface RecorderContext {
  contract: Contract
  coverage: Coverage
  server: ServerStarted
  /** Maps the documented username to the stand-in user of this server, if there is one. */
  names: Record<string, string>
}

/** Records every coverage item that a request and its response cover. */
export function recordExchange(context: RecorderContext, exchange: Exchange): void {
  const { contract, coverage } = context
  const { request, response } = exchange
  const server = exchange.server
  const body = parseJson(response.body)
  if (response.status >= 400 && isObject(body)) coverage.cover(server, 'problem', String(body.code))

  if (exchange.kind === 'handshake') {
    const documented = contract.channel.handshakeResponses[response.status]
    recordResponse(context, 'handshake', [String(response.status)], documented, exchange)
    const expected = expectedProblemsOfHandshake(contract.channel, request)
    recordConstraints(context, 'handshake query', contract.channel.query, request.query, expected)
    return
  }
  for (const path of contract.servicePaths) {
    if (response.status === 200 && matchesTemplate(path, request.path))
      coverage.cover(server, 'service path', path)
  }
  const target = targetOf(contract, request)
  if (!isOperation(target)) {
    const owners = contract.operations.filter((one) => matchesTemplate(one.path, request.path))
    if (owners.length === 0)
      recordResponse(
        context,
        'response',
        ['(no operation)', String(response.status)],
        target[response.status],
        exchange,
      )
    for (const owner of owners) {
      recordResponse(
        context,
        'response',
        [owner.id, String(response.status)],
        owner.responses[response.status],
        exchange,
      )
    }
    return
  }

  const { id } = target
  const sent = parseJson(request.body ?? '')
  const requests = target.body?.examples ?? {}
  for (const [name, example] of Object.entries(requests)) {
    if (target.body && sent !== MALFORMED && matchesExample(undefined, example.value, sent, context.names)) {
      coverage.cover(server, 'request', id, name)
    }
  }
  recordResponse(
    context,
    'response',
    [id, String(response.status)],
    target.responses[response.status],
    exchange,
    requests,
  )

  const expected = expectedProblemsOfRequest(contract, target, request)
  const inPath = pathValues(target, request.path)
  for (const { name, in: where, example, schema } of target.parameters) {
    const column = `${where} ${name}`
    const values = { path: inPath, query: request.query, header: request.headers }[where] ?? {}
    const value = values[where === 'header' ? name.toLowerCase() : name]
    const more = response.status === 200 && isObject(body) && body.next !== null
    if (value === undefined) {
      const page = isObject(body) ? (body.messages ?? body.rooms ?? body.members) : undefined
      const isDefault =
        typeof schema.default === 'string' || (Array.isArray(page) && page.length === schema.default)
      if (more && isDefault) coverage.cover(server, 'parameter', id, column, 'default')
      continue
    }
    if (expected.size === 0) coverage.cover(server, 'parameter', id, column, 'valid')
    if (expected.size === 0 && value === example && response.status < 300)
      coverage.cover(server, 'parameter', id, column, 'example')
    if (violationsOf(schema, value).length > 0) coverage.cover(server, 'parameter', id, column, 'invalid')
  }
  if (target.body && sent !== MALFORMED) recordConstraints(context, id, target.body.schema, sent, expected)
  if (target.query)
    recordConstraints(context, `${id} query`, target.query, numbersOf(target.query, request.query), expected)
}

function numbersOf(schema: Schema, query: Record<string, string>): Json {
  const typed = Object.entries(query).map(([name, text]): [string, Json] => {
    return [name, schema.properties?.[name]?.type === 'integer' ? Number(text) : text]
  })
  return Object.fromEntries(typed)
}

function recordResponse(
  context: RecorderContext,
  table: string,
  columns: string[],
  documented: ResponseObject | undefined,
  { server, request, response }: Exchange,
  requests: Record<string, { value: Json }> = {},
): void {
  const body = parseJson(response.body)
  const type = response.headers['content-type']?.split(';')[0] ?? ''
  const content = documented?.content[type]
  if (!documented || !content || body === MALFORMED) return
  for (const [name, example] of Object.entries(content.examples ?? {})) {
    const needed = example['x-request-body'] ?? requests[name]?.value
    const sent = parseJson(request.body ?? '')
    if (
      needed !== undefined &&
      !(sent !== MALFORMED && matchesExample(undefined, needed, sent, context.names))
    )
      continue
    const query = example['x-request-query']
    if (query && !matchesExample(undefined, query, request.query)) continue
    if (matchesExample(content.schema, example.value, body, context.names))
      context.coverage.cover(server, table, ...columns, name)
  }
  recordValue(context, server, content.schema, body)
  for (const [name, header] of Object.entries(documented.headers ?? {})) {
    const value = response.headers[name.toLowerCase()]
    context.coverage.cover(server, 'seen', `header ${name}`, value === undefined ? 'absent' : 'present')
    if (value !== undefined) recordValue(context, server, header.schema, value)
  }
}

/** Records the optional properties, enumeration members and array lengths that appear in a value. */
export function recordValue(context: RecorderContext, server: string, schema: Schema, value: Json): void {
  const { coverage } = context
  for (const branch of branchesOf(schema)) {
    const label = coverage.labels.get(branch) ?? ''
    if ((branch.enum ?? branch['x-extensible-enum'])?.includes(value))
      coverage.cover(server, 'seen', label, 'enum', String(value))
    if (Array.isArray(value)) {
      for (const keyword of ['minItems', 'maxItems'] as const) {
        if (branch[keyword] === value.length)
          coverage.cover(server, 'seen', label, keyword, String(value.length))
      }
      for (const item of value) if (branch.items) recordValue(context, server, branch.items, item)
    }
    if (!isObject(value)) continue
    for (const [name, property] of Object.entries(branch.properties ?? {})) {
      const member = value[name]
      coverage.cover(server, 'seen', label, name, member === undefined ? 'absent' : 'present')
      if (member !== undefined) recordValue(context, server, property, member)
    }
  }
}

/** Records the constraints that a rejected value violates, or the bounds that an accepted value reaches. */
export function recordConstraints(
  context: RecorderContext,
  subject: string,
  schema: Schema,
  value: Json,
  expected: ExpectedProblems,
): void {
  const server = context.server.server
  const violations = expected.get('validation-failed') ?? []
  for (const { keyword, pointer } of violations) {
    context.coverage.cover(server, 'constraint', subject, pointer || '(root)', keyword, 'violated')
    // The item does not depend on the name of the unknown property.
    if (keyword === 'additionalProperties') {
      const parent = pointer.slice(0, pointer.lastIndexOf('/'))
      context.coverage.cover(server, 'constraint', subject, parent || '(root)', keyword, 'violated')
    }
  }
  if (expected.size === 0) recordBounds(context, subject, schema, value, '')
}

export function recordBounds(
  context: RecorderContext,
  subject: string,
  schema: Schema,
  value: Json,
  pointer: string,
): void {
  const size = typeof value === 'string' ? [...value].length : value
  for (const branch of branchesOf(schema)) {
    for (const keyword of ['minLength', 'maxLength', 'minimum', 'maximum'] as const) {
      if (branch[keyword] === size) {
        context.coverage.cover(
          context.server.server,
          'constraint',
          subject,
          pointer || '(root)',
          keyword,
          'at the bound',
        )
      }
    }
    if (!isObject(value)) continue
    for (const [name, property] of Object.entries(branch.properties ?? {})) {
      const member = value[name]
      if (member !== undefined) recordBounds(context, subject, property, member, `${pointer}/${name}`)
    }
  }
}

export function isObject(value: unknown): value is { [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
