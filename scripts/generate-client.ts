// Renders client/src/contract.gen.ts: the parts of both documents that the client package needs. The values
// are few and short, because they count towards the size of the client; the types cost nothing.
import type { OperationObject } from '../src/contract/documents.ts'
import { asyncapi, openapi, sources } from '../src/contract/full-documents.ts'
import { mergedDocument, problemCodes, typesOf, union } from './generate-shared.ts'

interface RawParameter {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly schema: object
}

/** An operation as written, in which schemas are references, so that the types keep their names. */
interface RawOperation {
  readonly parameters?: readonly (RawParameter | { readonly $ref: string })[]
  readonly requestBody?: { readonly content: Record<string, { readonly schema: { readonly $ref: string } }> }
  readonly responses: Record<string, { readonly content?: Record<string, { readonly schema: object }> }>
}

interface TextSchema {
  readonly minLength: number
  readonly maxLength: number
  readonly pattern: string
}

/** The regular expression that checks the lengths as well. */
const patternOf = ({ minLength, maxLength, pattern }: TextSchema) =>
  new RegExp(pattern.replace('^', `^(?=.{${minLength},${maxLength}}$)`))

interface Operation {
  readonly id: string
  readonly method: string
  readonly path: string
  readonly resolved: OperationObject
  readonly raw: RawOperation
}

const rawPaths = (sources.openapi as { paths: Record<string, Record<string, RawOperation>> }).paths

const operations: readonly Operation[] = Object.entries(openapi.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, resolved]) => ({
    id: resolved.operationId,
    method: method.toUpperCase(),
    path,
    resolved,
    raw: rawPaths[path]?.[method] as RawOperation,
  })),
)

const json = 'application/json'
const bodyOf = ({ raw }: Operation) => raw.requestBody?.content[json]?.schema
const sharedParameters = (sources.openapi as { components: { parameters: Record<string, RawParameter> } })
  .components.parameters
const inputParameters = ({ raw }: Operation) =>
  (raw.parameters ?? [])
    .map((each) =>
      'schema' in each ? each : (sharedParameters[each.$ref.split('/').at(-1) as string] as RawParameter),
    )
    .filter((each) => each.in !== 'header')

/** The parameters and the body of an operation, as the one argument that the client's method has. */
function inputSchema(operation: Operation): object {
  const parameters = inputParameters(operation)
  const body = bodyOf(operation)
  const own = {
    type: 'object',
    properties: Object.fromEntries(parameters.map(({ name, schema }) => [name, schema])),
    required: parameters.filter(({ required }) => required).map(({ name }) => name),
    additionalProperties: false,
  }
  if (!body) return own
  if (parameters.length === 0) return body
  const properties = (operation.resolved.requestBody?.content[json]?.schema.properties ?? {}) as object
  const twice = parameters.find(({ name }) => name in properties)
  if (twice) throw new Error(`${operation.id} has ${twice.name} as a parameter and in its body`)
  return { allOf: [body, own] }
}

function outputSchema({ id, raw }: Operation): object {
  const success = Object.entries(raw.responses).filter(([status]) => status.startsWith('2'))
  const schema = success.length === 1 ? success[0]?.[1].content?.[json]?.schema : undefined
  if (!schema) throw new Error(`${id} needs exactly one successful response with JSON`)
  return schema
}

const usesIdempotencyKey = ({ resolved }: Operation) =>
  (resolved.parameters ?? []).some(({ name }) => name === 'Idempotency-Key')

/** Whether an operation may be called without an argument. */
function takesNothing(operation: Operation): boolean {
  const body = operation.resolved.requestBody?.content[json]?.schema
  const required = (body?.required ?? []) as readonly string[]
  return required.length === 0 && !inputParameters(operation).some((each) => each.required)
}

/** `s`: needs a token. `b`: has a body. `i`: an idempotency key makes it safe to repeat. */
function flags(operation: Operation): string {
  const secured = operation.resolved.security.length > 0 ? 's' : ''
  return secured + (bodyOf(operation) ? 'b' : '') + (usesIdempotencyKey(operation) ? 'i' : '')
}

/** The names of the schemas of the frames that the server sends. */
function serverFrames(): string[] {
  const { operations: all, components } = sources.asyncapi as unknown as {
    operations: Record<string, { action: string; messages: { $ref: string }[] }>
    components: { messages: Record<string, { payload: { $ref: string } }> }
  }
  const last = (reference: string) => reference.split('/').at(-1) as string
  return Object.values(all)
    .filter(({ action }) => action === 'send')
    .flatMap(({ messages }) => messages.map(({ $ref }) => last($ref)))
    .map((name) => last(components.messages[name]?.payload.$ref as string))
}

const capitalized = (name: string) => name.charAt(0).toUpperCase() + name.slice(1)
const camelCase = (name: string) => name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase())

function values(): string[] {
  const { chat } = asyncapi.channels
  const apiVersion = openapi.components.headers['API-Version']?.schema.const
  return [
    `export const apiVersion = '${apiVersion}'`,
    '',
    '/** The method, the path and the properties of each operation: `s` needs a token, `b` has a body, `i` takes an idempotency key. */',
    'export const routes = {',
    ...operations.map((each) => `  ${each.id}: ['${each.method}', '${each.path}', '${flags(each)}'],`),
    '} as const',
    '',
    `export const channelPath = '${chat.address}'`,
    `export const subprotocol = '${chat['x-subprotocol']}'`,
    `export const refusalsSubprotocol = '${chat['x-refusals'].subprotocol}'`,
    `export const tokenSubprotocolPrefix = '${chat['x-token-subprotocol-prefix']}'`,
    `export const idempotencyKeyPattern = ${patternOf(openapi.components.schemas.IdempotencyKey as unknown as TextSchema)}`,
    '/** In code points. */',
    `export const maxMessageLength = ${openapi.components.schemas.MessageText?.maxLength}`,
    '',
    '/** Close codes of accepted connections. */',
    ...Object.entries(chat['x-close-codes']).map(
      ([name, { code }]) => `export const ${camelCase(name)}Code = ${code}`,
    ),
    '/** The reason of the close code, where the client depends on it. */',
    `export const rateLimitedReason = '${chat['x-close-codes']['rate-limited']?.reason}'`,
    '/** Close codes of refused handshakes, by the status of the refusal. */',
    ...Object.entries(chat['x-refusals']['close-codes']).map(
      ([status, code]) => `export const refused${status}Code = ${code}`,
    ),
  ]
}

function types(): string[] {
  const tokenReasons = Object.values(asyncapi.channels.chat['x-close-codes'])
    .filter(({ code }) => code === asyncapi.channels.chat['x-refusals']['close-codes']['401'])
    .map(({ reason }) => reason)
  return [
    "export type Schemas = components['schemas']",
    '',
    '/** The argument, the result and the problem codes of each operation. */',
    'export interface Operations {',
    ...operations.flatMap((each) => [
      `  ${each.id}: {`,
      `    input: Schemas['${capitalized(each.id)}Input']${takesNothing(each) ? ' | undefined' : ''}`,
      `    output: Schemas['${capitalized(each.id)}Output']`,
      `    problems: ${union(problemCodes(each.resolved))}`,
      '  }',
    ]),
    '}',
    '',
    '/** The codes of all problems. A later release may add codes. */',
    `export type ProblemCode = ${union(Object.keys(openapi['x-problems']))}`,
    '',
    `export type ServerFrame = ${serverFrames()
      .map((name) => `Schemas['${name}']`)
      .join(' | ')}`,
    '',
    '/** Why the server ended a connection whose token is no longer valid. */',
    `export type TokenCloseReason = ${union(tokenReasons)}`,
  ]
}

export async function renderClientContract(): Promise<string> {
  const merged = mergedDocument()
  const schemas = Object.fromEntries(
    operations.flatMap((each) => [
      [`${capitalized(each.id)}Input`, inputSchema(each)],
      [`${capitalized(each.id)}Output`, outputSchema(each)],
    ]),
  )
  const { info } = openapi
  const document = {
    openapi: '3.1.0',
    info: { title: info.title, version: info.version },
    paths: {},
    components: { schemas: { ...merged.components.schemas, ...schemas } },
  }
  const all = await typesOf(document)
  const start = all.indexOf('export interface components')
  return [
    '// Written by `bun run generate` from spec/openapi.yaml and spec/asyncapi.yaml. Do not edit.',
    '',
    ...values(),
    '',
    all.slice(start, all.indexOf('export type $defs')).trim(),
    '',
    ...types(),
    '',
  ].join('\n')
}
