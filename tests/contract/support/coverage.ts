import { codesOf } from './checks.ts'
import type { Contract, ResponseObject, Schema } from './contract.ts'
import { branchesOf } from './schemas.ts'

/** One part of the documents that the traffic has to exercise at least once. */
export interface CoverageItem {
  table: string
  columns: string[]
  /** The servers whose traffic covered it. */
  coveredOn: Set<string>
  /** The request body, query or frame that covers it, as JSON text, or `request` for any request. */
  input?: string
}

export class Coverage {
  readonly items = new Map<string, CoverageItem>()
  /** The labels of the schemas whose values are recorded in the table `seen`. */
  readonly labels = new Map<Schema, string>()

  expect(table: string, columns: string[], input?: string): void {
    const key = [table, ...columns].join(' × ')
    if (!this.items.has(key)) {
      this.items.set(key, { table, columns, coveredOn: new Set(), ...(input !== undefined && { input }) })
    }
  }

  cover(server: string, table: string, ...columns: string[]): void {
    this.items.get([table, ...columns].join(' × '))?.coveredOn.add(server)
  }
}

/** Every item that the documents define; none is covered yet. */
export function expectedCoverage(contract: Contract): Coverage {
  const coverage = new Coverage()
  for (const operation of contract.operations) {
    for (const name of Object.keys(operation.body?.examples ?? {}))
      coverage.expect('request', [operation.id, name], 'request')
    for (const [status, response] of Object.entries(operation.responses)) {
      expectExamples(coverage, 'response', [operation.id, status], response)
    }
    for (const { name, in: where, example, schema } of operation.parameters) {
      coverage.expect('parameter', [operation.id, `${where} ${name}`, 'valid'], 'request')
      if (example !== undefined)
        coverage.expect('parameter', [operation.id, `${where} ${name}`, 'example'], 'request')
      if (where !== 'query')
        coverage.expect('parameter', [operation.id, `${where} ${name}`, 'invalid'], 'request')
      if (schema.default !== undefined)
        coverage.expect('parameter', [operation.id, `${where} ${name}`, 'default'])
    }
    if (operation.body) expectConstraints(coverage, operation.id, operation.body.schema)
    if (operation.query) expectConstraints(coverage, `${operation.id} query`, operation.query, true)
  }
  for (const [status, response] of Object.entries(contract.unmatched)) {
    expectExamples(coverage, 'response', ['(no operation)', status], response)
  }
  for (const path of contract.servicePaths) coverage.expect('service path', [path])
  for (const code of Object.keys(contract.problems)) coverage.expect('problem', [code])
  expectChannel(coverage, contract)
  expectObservations(coverage, contract)
  return coverage
}

function expectExamples(
  coverage: Coverage,
  table: string,
  columns: string[],
  response: ResponseObject,
): void {
  for (const content of Object.values(response.content)) {
    for (const [name, example] of Object.entries(content.examples ?? {})) {
      const input = example['x-request-body'] ?? example['x-request-query']
      coverage.expect(table, [...columns, name], input === undefined ? undefined : JSON.stringify(input))
    }
  }
}

function expectChannel(coverage: Coverage, { channel }: Contract): void {
  for (const scheme of channel.securitySchemes) coverage.expect('handshake', ['101', scheme])
  for (const [status, response] of Object.entries(channel.handshakeResponses)) {
    expectExamples(coverage, 'handshake', [status], response)
  }
  expectConstraints(coverage, 'handshake query', channel.query, true)
  for (const message of channel.messages) {
    const direction = message.from === 'client' ? 'client → server' : 'server → client'
    for (const example of message.examples) {
      const input = message.from === 'client' ? JSON.stringify(example.payload) : example.frame
      coverage.expect('frame', [channel.address, message.name, direction, example.name], input)
    }
    if (message.from === 'client') expectConstraints(coverage, `frame ${message.name}`, message.schema)
  }
  for (const name of Object.keys(channel.closeCodes)) coverage.expect('close code', [name])
  for (const status of Object.keys(channel.refusals['close-codes'])) {
    for (const code of codesOf(channel.handshakeResponses[status])) {
      // A malformed handshake cannot be accepted, so it is only refused by a response.
      if (code !== 'malformed-handshake') coverage.expect('refusal', [status, String(code)])
    }
  }
  for (const observed of ['nothing', 'ping', 'end']) coverage.expect('silence', [observed])
}

/** Each constraint on client input has to be violated once. A bound also has to be accepted at its limit. */
function expectConstraints(
  coverage: Coverage,
  subject: string,
  schema: Schema,
  text = false,
  pointer = '',
): void {
  // A frame without its event, or with another one, is validated as another message.
  const hasOwnEvent = subject.startsWith('frame') && pointer === '' && schema.required?.includes('event')
  const at = (keyword: string) => [subject, pointer || '(root)', keyword]
  const violated = (keyword: string) => coverage.expect('constraint', [...at(keyword), 'violated'], 'request')
  for (const branch of branchesOf(schema)) {
    // Query and header values are always strings, and the query itself is always an object.
    const shapeless = hasOwnEvent || (text && branch.type !== 'integer')
    if (branch.type && !shapeless) violated('type')
    for (const keyword of ['const', 'enum', 'pattern', 'maxItems'] as const) {
      if (branch[keyword] !== undefined) violated(keyword)
    }
    for (const keyword of ['minLength', 'maxLength', 'minimum', 'maximum'] as const) {
      if (branch[keyword] === undefined || (keyword === 'minLength' && branch[keyword] === 0)) continue
      violated(keyword)
      coverage.expect('constraint', [...at(keyword), 'at the bound'], 'request')
    }
    for (const name of branch.required ?? []) {
      if (!(hasOwnEvent && name === 'event'))
        coverage.expect('constraint', [subject, `${pointer}/${name}`, 'required', 'violated'], 'request')
    }
    if (branch.additionalProperties === false) violated('additionalProperties')
    for (const [name, property] of Object.entries(branch.properties ?? {})) {
      if (hasOwnEvent && name === 'event') continue
      expectConstraints(coverage, subject, property, text, `${pointer}/${name}`)
    }
  }
}

/** An optional property has to appear both present and absent, an enumeration with all its members. */
function expectObservations(coverage: Coverage, contract: Contract): void {
  const names = namesOf(contract)
  const walk = (schema: Schema, label: string): void => {
    if (coverage.labels.has(schema)) return
    const name = names.get(schema) ?? label
    coverage.labels.set(schema, name)
    for (const branch of branchesOf(schema)) {
      if (branch !== schema) walk(branch, name)
    }
    for (const [property, inner] of Object.entries(schema.properties ?? {})) {
      if (!schema.required?.includes(property)) {
        coverage.expect('seen', [name, property, 'present'])
        coverage.expect('seen', [name, property, 'absent'])
      }
      walk(inner, `${name}.${property}`)
    }
    for (const member of schema.enum ?? schema['x-extensible-enum'] ?? [])
      coverage.expect('seen', [name, 'enum', String(member)])
    for (const keyword of ['minItems', 'maxItems'] as const) {
      if (schema[keyword] !== undefined) coverage.expect('seen', [name, keyword, String(schema[keyword])])
    }
    if (schema.items) walk(schema.items, `${name}[]`)
  }
  for (const [label, response] of responsesOf(contract)) {
    for (const content of Object.values(response.content)) walk(content.schema, label)
    for (const [header, { schema, required }] of Object.entries(response.headers ?? {})) {
      walk(schema, `header ${header}`)
      if (!required) {
        coverage.expect('seen', [`header ${header}`, 'present'])
        coverage.expect('seen', [`header ${header}`, 'absent'])
      }
    }
  }
  for (const message of contract.channel.messages) {
    if (message.from === 'server') walk(message.schema, `frame ${message.name}`)
  }
}

export function responsesOf(contract: Contract): [string, ResponseObject][] {
  return [
    ...contract.operations.flatMap((operation) =>
      Object.entries(operation.responses).map(([status, response]): [string, ResponseObject] => [
        `${operation.id} ${status}`,
        response,
      ]),
    ),
    ...Object.entries(contract.unmatched),
    ...Object.entries(contract.channel.handshakeResponses).map(
      ([status, response]): [string, ResponseObject] => [`handshake ${status}`, response],
    ),
  ]
}

function namesOf(contract: Contract): Map<Schema, string> {
  const components = Object.values(contract.resolved).map((document) => document.components)
  const schemas = components.flatMap((one) =>
    Object.entries((one as { schemas: Record<string, Schema> }).schemas),
  )
  return new Map(schemas.map(([name, schema]) => [schema, name]))
}
