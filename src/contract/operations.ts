import { type TSchema, Type } from '@sinclair/typebox'
import {
  commonHeaders,
  type JsonSchema,
  type LoginGuardPolicy,
  type OperationObject,
  openapi,
  type RateLimit,
} from './documents.ts'
import { toTypeBox } from './schema.ts'
import type { OperationProblems, operations, QueryDefaults, ReplyHeaders } from './types.gen.ts'
import { createValidator, type Validator } from './validator.ts'

export type OperationId = keyof operations

type Responses<Id extends OperationId> = operations[Id]['responses']
type JsonOf<Message> = Message extends { content: { [jsonMediaType]: infer Body } } ? Body : never

/** The body of the operation's single success response. */
export type SuccessBody<Id extends OperationId> = JsonOf<
  Responses<Id>[Extract<keyof Responses<Id>, 200 | 201>]
>

type ConstantKeys<Body> = {
  [Key in keyof Body]: string extends Body[Key] ? never : Body[Key] extends string ? Key : never
}[keyof Body]

/** The part of the success body that the handler supplies: all but the texts that the document fixes. */
export type ReplyData<Id extends OperationId> = Omit<SuccessBody<Id>, ConstantKeys<SuccessBody<Id>>>

export type RequestBody<Id extends OperationId> = operations[Id] extends {
  requestBody: { content: { [jsonMediaType]: infer Body } }
}
  ? Body
  : undefined

type Query<Id extends OperationId> = NonNullable<operations[Id]['parameters']['query']>
type DefaultedKeys<Id extends OperationId> = Extract<
  keyof Query<Id>,
  Id extends keyof QueryDefaults ? keyof QueryDefaults[Id] : never
>
/** The query parameters as a handler receives them: a parameter with a default is always present. */
export type QueryValues<Id extends OperationId> = Omit<Query<Id>, DefaultedKeys<Id>> &
  Required<Pick<Query<Id>, DefaultedKeys<Id>>>

export type RequestHeaders<Id extends OperationId> = NonNullable<operations[Id]['parameters']['header']>

export type PathParameters<Id extends OperationId> = NonNullable<operations[Id]['parameters']['path']>

/** The problem codes that the document lists for the operation. */
export type OperationProblem<Id extends OperationId> = OperationProblems[Id]

/** The headers of the success response that the handler supplies. */
export type ReplyHeaderValues<Id extends OperationId> = Id extends keyof ReplyHeaders
  ? Readonly<Record<ReplyHeaders[Id], string>>
  : undefined

export interface Operation {
  readonly id: OperationId
  readonly method: string
  readonly path: string
  /** Path parameters; a request that violates them matches no resource. */
  readonly pathParameters: Validator | undefined
  readonly secured: boolean
  readonly rateLimit: RateLimit
  readonly loginGuard: LoginGuardPolicy | undefined
  readonly body: Validator | undefined
  readonly query: Validator | undefined
  /** Query parameters of type integer, which are parsed from decimal digits. */
  readonly integerParameters: ReadonlySet<string>
  readonly queryDefaults: Readonly<Record<string, unknown>>
  /** Header parameters except the API version, which all operations share. */
  readonly headers: Validator | undefined
  readonly headerNames: readonly string[]
  readonly successStatus: number
  readonly success: Validator
  /** The texts of the success body that the document fixes by `const`. */
  readonly constants: Readonly<Record<string, string>>
  /** The headers of the success response that the document fixes, except `commonHeaders`. */
  readonly successHeaders: Readonly<Record<string, string>>
  readonly deprecatedAt: string | undefined
  readonly sunset: string | undefined
}

/** The headers whose value the document fixes by `const`. */
function constantHeaders(headers: Readonly<Record<string, { schema: JsonSchema }>> = {}) {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, { schema }]) =>
      typeof schema.const === 'string' ? [[name.toLowerCase(), schema.const]] : [],
    ),
  )
}

/** The media type of request bodies and success responses; RFC 8259, section 11 defines no charset. */
export const jsonMediaType = 'application/json'

/** The API versions that a client may request. */
export const supportedVersions = openapi.components.parameters.ApiVersion.schema.enum as readonly string[]
export const versionHeader = openapi.components.parameters.ApiVersion.name

/** The header that continues a trace of the client (W3C Trace Context). */
export const traceparentHeader = openapi['x-trace-context']['request-header']

function readOperation(path: string, method: string, operation: OperationObject): Operation {
  const pointer = `openapi.yaml#/paths/${path.replaceAll('/', '~1')}/${method}`
  const parameters = (operation.parameters ?? []).filter(({ name }) => name !== versionHeader)
  const parametersIn = (place: string) => {
    const selected = parameters.filter((parameter) => parameter.in === place)
    if (selected.length === 0) return undefined
    return createValidator(() => {
      const types = selected.map(({ name, required, schema }): [string, TSchema] => {
        const type = toTypeBox(schema, `${pointer}/parameters/${name}`)
        return [name, required ? type : Type.Optional(type)]
      })
      return Type.Object(Object.fromEntries(types), { additionalProperties: false })
    })
  }
  const inQuery = parameters.filter((parameter) => parameter.in === 'query')
  const [status = '', response] =
    Object.entries(operation.responses).find(([code]) => code.startsWith('2')) ?? []
  const json = (content: Record<string, { schema: JsonSchema }> | undefined) =>
    content?.[jsonMediaType]?.schema
  const bodySchema = json(operation.requestBody?.content)
  const successSchema = json(response?.content)
  if (!successSchema) throw new Error(`${pointer} documents no JSON success`)
  const fixed = constantHeaders(response?.headers)
  return {
    id: operation.operationId as OperationId,
    method: method.toUpperCase(),
    path,
    pathParameters: parametersIn('path'),
    secured: operation.security.length > 0,
    rateLimit: operation['x-rate-limit'],
    loginGuard: operation['x-login-guard'],
    body: bodySchema && createValidator(() => toTypeBox(bodySchema, `${pointer}/requestBody`)),
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
    success: createValidator(() => toTypeBox(successSchema, `${pointer}/responses/${status}`)),
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

/** The operations of a document, in document order. */
export const readOperations = (paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>) =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => readOperation(path, method, operation)),
  )

export const allOperations: readonly Operation[] = readOperations(openapi.paths)

/** The request headers that the operations read, for CORS preflights. */
export const requestHeaderNames: readonly string[] = [
  ...new Set([
    ...Object.values(openapi.paths)
      .flatMap((methods) => Object.values(methods))
      .flatMap(({ security, requestBody, parameters = [] }) => [
        ...(security.length > 0 ? ['Authorization'] : []),
        ...(requestBody ? ['Content-Type'] : []),
        ...parameters.filter((parameter) => parameter.in === 'header').map(({ name }) => name),
      ]),
    traceparentHeader,
  ]),
]

/** The response headers that the document declares, and those of deprecated operations. */
export const responseHeaderNames: readonly string[] = [
  ...new Set([...Object.keys(openapi.components.headers), ...['Deprecation', 'Sunset', 'Link']]),
]
