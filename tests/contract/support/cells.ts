import type { Answer, Contract, Schema } from './contract.ts'
import { branchesOf } from './schemas.ts'

/** One promise of the documents that the traffic has to show at least once. */
export interface Cell {
  table: string
  /** The columns after the table's name. */
  columns: string[]
  /** The servers whose traffic showed it. */
  seenOn: Set<string>
  /** What has to be sent for it. Where nobody sent that, another run of the tests may still show it. */
  input?: string
}

export class Cells {
  readonly all = new Map<string, Cell>()
  /** The names of the schemas whose values are watched for what they show. */
  readonly labels = new Map<Schema, string>()

  expect(table: string, columns: string[], input?: string): void {
    const key = [table, ...columns].join(' × ')
    if (!this.all.has(key)) {
      this.all.set(key, { table, columns, seenOn: new Set(), ...(input !== undefined && { input }) })
    }
  }

  see(server: string, table: string, ...columns: string[]): void {
    this.all.get([table, ...columns].join(' × '))?.seenOn.add(server)
  }
}

/** Everything that the documents promise, as empty cells. */
export function cellsOf(contract: Contract): Cells {
  const cells = new Cells()
  for (const operation of contract.operations) {
    for (const name of Object.keys(operation.body?.examples ?? {}))
      cells.expect('request', [operation.id, name], 'request')
    for (const [status, answer] of Object.entries(operation.answers)) {
      expectExamples(cells, 'answer', [operation.id, status], answer)
    }
    for (const { name, in: where, example, schema } of operation.parameters) {
      cells.expect('parameter', [operation.id, `${where} ${name}`, 'valid'], 'request')
      if (example !== undefined)
        cells.expect('parameter', [operation.id, `${where} ${name}`, 'example'], 'request')
      if (where === 'header')
        cells.expect('parameter', [operation.id, `${where} ${name}`, 'invalid'], 'request')
      if (schema.default !== undefined)
        cells.expect('parameter', [operation.id, `${where} ${name}`, 'default'])
    }
    if (operation.body) expectConstraints(cells, operation.id, operation.body.schema)
    if (operation.query) expectConstraints(cells, `${operation.id} query`, operation.query, true)
  }
  for (const [status, answer] of Object.entries(contract.unmatched)) {
    expectExamples(cells, 'answer', ['(no operation)', status], answer)
  }
  for (const path of contract.servicePaths) cells.expect('service path', [path])
  for (const code of Object.keys(contract.problems)) cells.expect('problem', [code])
  expectChannel(cells, contract)
  expectObservations(cells, contract)
  return cells
}

function expectExamples(cells: Cells, table: string, columns: string[], answer: Answer): void {
  for (const content of Object.values(answer.content)) {
    for (const [name, example] of Object.entries(content.examples ?? {})) {
      const input = example['x-request-body'] ?? example['x-request-query']
      cells.expect(table, [...columns, name], input === undefined ? undefined : JSON.stringify(input))
    }
  }
}

function expectChannel(cells: Cells, { channel }: Contract): void {
  for (const scheme of channel.securitySchemes) cells.expect('handshake', ['101', scheme])
  for (const [status, answer] of Object.entries(channel.refusals)) {
    expectExamples(cells, 'handshake', [status], answer)
  }
  expectConstraints(cells, 'handshake query', channel.query, true)
  for (const message of channel.messages) {
    const direction = message.from === 'client' ? 'client → server' : 'server → client'
    for (const example of message.examples) {
      const input = message.from === 'client' ? JSON.stringify(example.payload) : example['x-frame']
      cells.expect('frame', [channel.address, message.name, direction, example.name], input)
    }
    if (message.from === 'client') expectConstraints(cells, `frame ${message.name}`, message.schema)
  }
  for (const name of Object.keys(channel.closeCodes)) cells.expect('close code', [name])
}

/** Each constraint of what a client sends: broken once, and where it has an edge, accepted at the edge. */
function expectConstraints(cells: Cells, subject: string, schema: Schema, text = false, pointer = ''): void {
  const at = (keyword: string) => [subject, pointer || '(the whole)', keyword]
  const broken = (keyword: string) => cells.expect('constraint', [...at(keyword), 'broken'], 'request')
  for (const branch of branchesOf(schema)) {
    // What stands in a query or a header is always a string, and always an object as a whole.
    // What is no object has no event, and is judged as the message that needs none.
    const shapeless = subject === 'frame disconnect' || (text && branch.type !== 'integer')
    if (branch.type && !shapeless) broken('type')
    for (const keyword of ['const', 'enum', 'pattern'] as const) {
      if (branch[keyword] !== undefined) broken(keyword)
    }
    for (const keyword of ['minLength', 'maxLength', 'minimum', 'maximum'] as const) {
      if (branch[keyword] === undefined || (keyword === 'minLength' && branch[keyword] === 0)) continue
      broken(keyword)
      cells.expect('constraint', [...at(keyword), 'at the edge'], 'request')
    }
    for (const name of branch.required ?? []) {
      // A frame without its event is another message, unless the event has a default.
      const discriminates = subject.startsWith('frame') && name === 'event'
      if (!discriminates)
        cells.expect('constraint', [subject, `${pointer}/${name}`, 'required', 'broken'], 'request')
    }
    if (branch.additionalProperties === false) broken('additionalProperties')
    for (const [name, property] of Object.entries(branch.properties ?? {})) {
      // An event that is not the constant is another message's, and judged as that.
      if (subject === 'frame disconnect' && name === 'event') continue
      expectConstraints(cells, subject, property, text, `${pointer}/${name}`)
    }
  }
}

/** What may be there or not has to be seen both ways; an enumeration has to be seen in full. */
function expectObservations(cells: Cells, contract: Contract): void {
  const names = namesOf(contract)
  const walk = (schema: Schema, label: string): void => {
    if (cells.labels.has(schema)) return
    const name = names.get(schema) ?? label
    cells.labels.set(schema, name)
    for (const branch of branchesOf(schema)) {
      if (branch !== schema) walk(branch, name)
    }
    for (const [property, inner] of Object.entries(schema.properties ?? {})) {
      if (!schema.required?.includes(property)) {
        cells.expect('seen', [name, property, 'present'])
        cells.expect('seen', [name, property, 'absent'])
      }
      walk(inner, `${name}.${property}`)
    }
    for (const member of schema.enum ?? []) cells.expect('seen', [name, 'enum', String(member)])
    for (const keyword of ['minItems', 'maxItems'] as const) {
      if (schema[keyword] !== undefined) cells.expect('seen', [name, keyword, String(schema[keyword])])
    }
    if (schema.items) walk(schema.items, `${name}[]`)
  }
  for (const [label, answer] of answersOf(contract)) {
    for (const content of Object.values(answer.content)) walk(content.schema, label)
    for (const [header, { schema, required }] of Object.entries(answer.headers ?? {})) {
      walk(schema, `header ${header}`)
      if (!required) {
        cells.expect('seen', [`header ${header}`, 'present'])
        cells.expect('seen', [`header ${header}`, 'absent'])
      }
    }
  }
  for (const message of contract.channel.messages) {
    if (message.from === 'server') walk(message.schema, `frame ${message.name}`)
  }
}

export function answersOf(contract: Contract): [string, Answer][] {
  return [
    ...contract.operations.flatMap((operation) =>
      Object.entries(operation.answers).map(([status, answer]): [string, Answer] => [
        `${operation.id} ${status}`,
        answer,
      ]),
    ),
    ...Object.entries(contract.unmatched),
    ...Object.entries(contract.channel.refusals).map(([status, answer]): [string, Answer] => [
      `handshake ${status}`,
      answer,
    ]),
  ]
}

function namesOf(contract: Contract): Map<Schema, string> {
  const components = Object.values(contract.resolved).map((document) => document.components)
  const schemas = components.flatMap((one) =>
    Object.entries((one as { schemas: Record<string, Schema> }).schemas),
  )
  return new Map(schemas.map(([name, schema]) => [schema, name]))
}
