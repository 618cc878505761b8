import { type TSchema, Type } from '@sinclair/typebox'
import { type JsonSchema, type OperationObject, openapi, type RateLimit } from './documents.ts'
import { toTypeBox } from './schema.ts'
import type { operations, ProblemStatus } from './types.gen.ts'

export type OperationId = keyof operations

type Responses<Id extends OperationId> = operations[Id]['responses']
type JsonOf<Message> = Message extends { content: { [jsonMediaType]: infer Body } } ? Body : never

/** The body of the operation's one success, as the document types it. */
export type SuccessBody<Id extends OperationId> = JsonOf<
  Responses<Id>[Extract<keyof Responses<Id>, 200 | 201>]
>

type ConstantKeys<Body> = {
  [Key in keyof Body]: string extends Body[Key] ? never : Body[Key] extends string ? Key : never
}[keyof Body]

/** What a handler has to supply: the success body without the texts that the document fixes. */
export type ReplyData<Id extends OperationId> = Omit<SuccessBody<Id>, ConstantKeys<SuccessBody<Id>>>

export type RequestBody<Id extends OperationId> = operations[Id] extends {
  requestBody: { content: { [jsonMediaType]: infer Body } }
}
  ? Body
  : undefined

export type Query<Id extends OperationId> = NonNullable<operations[Id]['parameters']['query']>
export type RequestHeaders<Id extends OperationId> = NonNullable<operations[Id]['parameters']['header']>

/** The problem codes whose status the document gives the operation. */
export type OperationProblem<Id extends OperationId> = {
  [Code in keyof ProblemStatus]: ProblemStatus[Code] extends keyof Responses<Id> ? Code : never
}[keyof ProblemStatus]

export interface Operation {
  readonly id: OperationId
  readonly method: string
  readonly path: string
  readonly secured: boolean
  readonly rateLimit: RateLimit
  readonly body: TSchema | undefined
  readonly query: TSchema | undefined
  /** Query parameters that are integers, to be read from their digits. */
  readonly integerParameters: ReadonlySet<string>
  readonly queryDefaults: Readonly<Record<string, unknown>>
  /** Header parameters other than the version, which all operations have. */
  readonly headers: TSchema | undefined
  readonly headerNames: readonly string[]
  readonly successStatus: number
  readonly success: TSchema
  /** The texts of the success body that the document fixes. */
  readonly constants: Readonly<Record<string, string>>
  /** The headers of the success that the document fixes, beyond those of every answer. */
  readonly successHeaders: Readonly<Record<string, string>>
  readonly deprecatedAt: string | undefined
  readonly sunset: string | undefined
}

/** The headers that a set of header objects fixes by `const`. */
function constantHeaders(headers: Readonly<Record<string, { schema: JsonSchema }>> = {}) {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, { schema }]) =>
      typeof schema.const === 'string' ? [[name.toLowerCase(), schema.const]] : [],
    ),
  )
}

/** Of the bodies that are read and of the successes that are answered, without a charset (RFC 8259, 11). */
export const jsonMediaType = 'application/json'

/** Fixed by the document for an answer of every kind, such as the API's version. */
export const commonHeaders: Readonly<Record<string, string>> = (() => {
  const all = Object.values(openapi.paths)
    .flatMap((methods) => Object.values(methods))
    .flatMap(({ responses }) => Object.values(responses))
    .map(({ headers }) => constantHeaders(headers))
  const [first = {}] = all
  return Object.fromEntries(
    Object.entries(first).filter(([name, value]) => all.every((headers) => headers[name] === value)),
  )
})()

/** The versions that a client may ask for. */
export const supportedVersions = openapi.components.parameters.ApiVersion.schema.enum as readonly string[]
export const versionHeader = openapi.components.parameters.ApiVersion.name

function readOperation(path: string, method: string, operation: OperationObject): Operation {
  const at = `openapi.yaml#/paths/${path.replaceAll('/', '~1')}/${method}`
  const parameters = (operation.parameters ?? []).filter(({ name }) => name !== versionHeader)
  const parametersIn = (place: string) => {
    const those = parameters.filter((parameter) => parameter.in === place)
    if (those.length === 0) return undefined
    const types = those.map(({ name, required, schema }): [string, TSchema] => {
      const type = toTypeBox(schema, `${at}/parameters/${name}`)
      return [name, required ? type : Type.Optional(type)]
    })
    return Type.Object(Object.fromEntries(types), { additionalProperties: false })
  }
  const inQuery = parameters.filter((parameter) => parameter.in === 'query')
  const [status = '', response] =
    Object.entries(operation.responses).find(([code]) => code.startsWith('2')) ?? []
  const json = (content: Record<string, { schema: JsonSchema }> | undefined) =>
    content?.[jsonMediaType]?.schema
  const bodySchema = json(operation.requestBody?.content)
  const successSchema = json(response?.content)
  if (!successSchema) throw new Error(`${at} documents no JSON success`)
  const fixed = constantHeaders(response?.headers)
  return {
    id: operation.operationId as OperationId,
    method: method.toUpperCase(),
    path,
    secured: operation.security.length > 0,
    rateLimit: operation['x-rate-limit'],
    body: bodySchema && toTypeBox(bodySchema, `${at}/requestBody`),
    query: parametersIn('query'),
    integerParameters: new Set(
      inQuery.filter(({ schema }) => schema.type === 'integer').map(({ name }) => name),
    ),
    queryDefaults: Object.fromEntries(
      inQuery.flatMap(({ name, schema }) => (schema.default === undefined ? [] : [[name, schema.default]])),
    ),
    headers: parametersIn('header'),
    headerNames: parameters.filter((parameter) => parameter.in === 'header').map(({ name }) => name),
    successStatus: Number(status),
    success: toTypeBox(successSchema, `${at}/responses/${status}`),
    constants: Object.fromEntries(
      Object.entries(successSchema.properties as Record<string, JsonSchema>).flatMap(([name, property]) =>
        typeof property.const === 'string' ? [[name, property.const]] : [],
      ),
    ),
    successHeaders: Object.fromEntries(Object.entries(fixed).filter(([name]) => !(name in commonHeaders))),
    deprecatedAt: operation.deprecated ? operation['x-deprecated-at'] : undefined,
    sunset: operation.deprecated ? operation['x-sunset'] : undefined,
  }
}

/**
 * The operations of a document, in its order.
 *
 * @throws Error at a schema keyword that would not be enforced
 */
export const readOperations = (paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>) =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => readOperation(path, method, operation)),
  )

export const allOperations: readonly Operation[] = readOperations(openapi.paths)
