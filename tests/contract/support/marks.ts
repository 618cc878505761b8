import type { Answer, Schema } from './contract.ts'
import type { Json } from './documents.ts'
import { isOperation, messageOf, targetOf } from './judge.ts'
import {
  frameSchema,
  MALFORMED,
  parseJson,
  parseJsonText,
  type Refusals,
  refusalsOfFrame,
  refusalsOfHandshake,
  refusalsOfRequest,
} from './promises.ts'
import { branchesOf, faultsOf, matchesExample } from './schemas.ts'
import type { Exchange, Opened, Received, Sent, Turn } from './traffic.ts'
import type { Scene } from './verdict.ts'

/** Notes every cell that an exchange shows. */
export function markExchange(scene: Scene, exchange: Exchange): void {
  const { contract, cells } = scene
  const { request, response } = exchange
  const server = exchange.server
  const body = parseJson(response.body)
  if (response.status >= 400 && isObject(body)) cells.see(server, 'problem', String(body.code))

  if (exchange.kind === 'handshake') {
    const answer = contract.channel.refusals[response.status]
    markAnswer(scene, 'handshake', [String(response.status)], answer, exchange)
    const refusals = refusalsOfHandshake(contract.channel, request)
    markConstraints(scene, 'handshake query', contract.channel.query, request.query, refusals)
    return
  }
  for (const path of contract.servicePaths) {
    const pattern = new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{[^}]+\}/g, '[^/]+')}$`)
    if (response.status === 200 && pattern.test(request.path)) cells.see(server, 'service path', path)
  }
  const target = targetOf(contract, request)
  if (!isOperation(target)) {
    const owners = contract.operations.filter((one) => one.path === request.path)
    if (owners.length === 0)
      markAnswer(
        scene,
        'answer',
        ['(no operation)', String(response.status)],
        target[response.status],
        exchange,
      )
    for (const owner of owners) {
      markAnswer(
        scene,
        'answer',
        [owner.id, String(response.status)],
        owner.answers[response.status],
        exchange,
      )
    }
    return
  }

  const { id } = target
  const sent = parseJson(request.body ?? '')
  const requests = target.body?.examples ?? {}
  for (const [name, example] of Object.entries(requests)) {
    if (target.body && sent !== MALFORMED && matchesExample(undefined, example.value, sent, scene.names)) {
      cells.see(server, 'request', id, name)
    }
  }
  markAnswer(
    scene,
    'answer',
    [id, String(response.status)],
    target.answers[response.status],
    exchange,
    requests,
  )

  const refusals = refusalsOfRequest(contract, target, request)
  for (const { name, in: where, example, schema } of target.parameters) {
    const column = `${where} ${name}`
    const value = where === 'header' ? request.headers[name.toLowerCase()] : request.query[name]
    const more = response.status === 200 && isObject(body) && body.next !== null
    if (value === undefined) {
      const page = isObject(body) ? body.messages : undefined
      if (more && Array.isArray(page) && page.length === schema.default)
        cells.see(server, 'parameter', id, column, 'default')
      continue
    }
    if (refusals.size === 0) cells.see(server, 'parameter', id, column, 'valid')
    if (refusals.size === 0 && value === example && response.status < 300)
      cells.see(server, 'parameter', id, column, 'example')
    if (faultsOf(schema, value).length > 0) cells.see(server, 'parameter', id, column, 'invalid')
  }
  if (target.body && sent !== MALFORMED) markConstraints(scene, id, target.body.schema, sent, refusals)
  if (target.query)
    markConstraints(scene, `${id} query`, target.query, numbersOf(target.query, request.query), refusals)
}

function numbersOf(schema: Schema, query: Record<string, string>): Json {
  const typed = Object.entries(query).map(([name, text]): [string, Json] => {
    return [name, schema.properties?.[name]?.type === 'integer' ? Number(text) : text]
  })
  return Object.fromEntries(typed)
}

function markAnswer(
  scene: Scene,
  table: string,
  columns: string[],
  answer: Answer | undefined,
  { server, request, response }: Exchange,
  requests: Record<string, { value: Json }> = {},
): void {
  const body = parseJson(response.body)
  const type = response.headers['content-type']?.split(';')[0] ?? ''
  const content = answer?.content[type]
  if (!answer || !content || body === MALFORMED) return
  for (const [name, example] of Object.entries(content.examples ?? {})) {
    const needed = example['x-request-body'] ?? requests[name]?.value
    const sent = parseJson(request.body ?? '')
    if (needed !== undefined && !(sent !== MALFORMED && matchesExample(undefined, needed, sent, scene.names)))
      continue
    const query = example['x-request-query']
    if (query && !matchesExample(undefined, query, request.query)) continue
    if (matchesExample(content.schema, example.value, body, scene.names))
      scene.cells.see(server, table, ...columns, name)
  }
  observe(scene, server, content.schema, body)
  for (const [name, header] of Object.entries(answer.headers ?? {})) {
    const value = response.headers[name.toLowerCase()]
    scene.cells.see(server, 'seen', `header ${name}`, value === undefined ? 'absent' : 'present')
    if (value !== undefined) observe(scene, server, header.schema, value)
  }
}

/** Notes which optional properties, members of enumerations and edges of arrays a value shows. */
function observe(scene: Scene, server: string, schema: Schema, value: Json): void {
  const { cells } = scene
  for (const branch of branchesOf(schema)) {
    const label = cells.labels.get(branch) ?? ''
    if (branch.enum?.includes(value)) cells.see(server, 'seen', label, 'enum', String(value))
    if (Array.isArray(value)) {
      for (const keyword of ['minItems', 'maxItems'] as const) {
        if (branch[keyword] === value.length) cells.see(server, 'seen', label, keyword, String(value.length))
      }
      for (const item of value) if (branch.items) observe(scene, server, branch.items, item)
    }
    if (!isObject(value)) continue
    for (const [name, property] of Object.entries(branch.properties ?? {})) {
      const member = value[name]
      cells.see(server, 'seen', label, name, member === undefined ? 'absent' : 'present')
      if (member !== undefined) observe(scene, server, property, member)
    }
  }
}

/** Notes which constraint a refused value breaks, and which edges an accepted one stands on. */
function markConstraints(
  scene: Scene,
  subject: string,
  schema: Schema,
  value: Json,
  refusals: Refusals,
): void {
  const server = scene.server.server
  const faults = refusals.get('validation-failed') ?? []
  for (const { keyword, pointer } of faults) {
    scene.cells.see(server, 'constraint', subject, pointer || '(the whole)', keyword, 'broken')
    // Which property it is that does not belong there is the sender's choice.
    if (keyword === 'additionalProperties') {
      const parent = pointer.slice(0, pointer.lastIndexOf('/'))
      scene.cells.see(server, 'constraint', subject, parent || '(the whole)', keyword, 'broken')
    }
  }
  if (refusals.size === 0) markEdges(scene, subject, schema, value, '')
}

function markEdges(scene: Scene, subject: string, schema: Schema, value: Json, pointer: string): void {
  const size = typeof value === 'string' ? [...value].length : value
  for (const branch of branchesOf(schema)) {
    for (const keyword of ['minLength', 'maxLength', 'minimum', 'maximum'] as const) {
      if (branch[keyword] === size) {
        scene.cells.see(
          scene.server.server,
          'constraint',
          subject,
          pointer || '(the whole)',
          keyword,
          'at the edge',
        )
      }
    }
    if (!isObject(value)) continue
    for (const [name, property] of Object.entries(branch.properties ?? {})) {
      const member = value[name]
      if (member !== undefined) markEdges(scene, subject, property, member, `${pointer}/${name}`)
    }
  }
}

export function markOpened({ contract, cells }: Scene, { server, request }: Opened): void {
  if (refusalsOfHandshake(contract.channel, request).size > 0) return
  const scheme = request.headers.authorization === undefined ? 'subprotocol' : 'bearerAuth'
  cells.see(server, 'handshake', '101', scheme)
  markEdges(
    { contract, cells, server: { kind: 'server', server, limits: 'unknown' }, names: {} },
    'handshake query',
    contract.channel.query,
    request.query,
    '',
  )
}

export function markSent({ contract, cells }: Scene, { server, text }: Sent): void {
  for (const message of contract.channel.messages.filter((one) => one.from === 'client')) {
    for (const example of message.examples) {
      if (JSON.stringify(example.payload) !== text) continue
      cells.see(server, 'frame', contract.channel.address, message.name, 'client → server', example.name)
    }
  }
}

/** An example that says what provokes it is shown by the frame that answers just that. */
export function markTurn(scene: Scene, turn: Turn): void {
  const { contract, cells } = scene
  const answer = parseJsonText(turn.answer)
  const message = answer === MALFORMED ? undefined : messageOf(contract, answer)
  if (!message || answer === MALFORMED) return
  const own = contract.channel.messages.filter((one) => one.from === 'client')
  for (const example of message.examples) {
    const pair = own.flatMap((one) => one.examples).find((one) => one.name === example.name)
    const input = example['x-frame'] ?? (pair && JSON.stringify(pair.payload))
    if (input !== undefined && input !== turn.sent) continue
    if (!matchesExample(message.schema, example.payload, answer, scene.names)) continue
    cells.see(turn.server, 'frame', contract.channel.address, message.name, 'server → client', example.name)
  }
  const sent = parseJsonText(turn.sent)
  if (sent === MALFORMED) return
  const schema = frameSchema(contract.channel, sent)
  const name = own.find((one) => one.schema === schema)?.name
  markConstraints(scene, `frame ${name}`, schema, sent, refusalsOfFrame(contract.channel, turn.sent))
}

/** An example that nothing in particular provokes is shown by any frame like it. */
export function markReceived(scene: Scene, { server, text }: Received): void {
  const { contract, cells } = scene
  const frame = parseJsonText(text)
  const message = frame === MALFORMED ? undefined : messageOf(contract, frame)
  if (!message || frame === MALFORMED) return
  observe(scene, server, message.schema, frame)
  const own = contract.channel.messages.filter((one) => one.from === 'client').flatMap((one) => one.examples)
  for (const example of message.examples) {
    if (example['x-frame'] !== undefined || own.some((one) => one.name === example.name)) continue
    if (!matchesExample(message.schema, example.payload, frame, scene.names)) continue
    cells.see(server, 'frame', contract.channel.address, message.name, 'server → client', example.name)
  }
}

function isObject(value: unknown): value is { [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
