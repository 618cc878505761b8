import { type Documents, type Json, type Node, readDocuments, resolveReferences } from './documents.ts'

export interface Schema {
  type?: string
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: boolean
  items?: Schema
  allOf?: Schema[]
  anyOf?: Schema[]
  enum?: Json[]
  /** The known members of an open set. Values outside of it satisfy the schema. */
  'x-extensible-enum'?: Json[]
  const?: Json
  default?: Json
  pattern?: string
  format?: string
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
  minItems?: number
  maxItems?: number
  readOnly?: boolean
}

export interface Example {
  value: Json
  'x-request-body'?: Json
  'x-request-query'?: Record<string, string>
}

export interface Content {
  schema: Schema
  examples?: Record<string, Example>
}

export interface ResponseObject {
  headers?: Record<string, { schema: Schema; required?: boolean; example?: Json }>
  content: Record<string, Content>
}

export interface RateLimit {
  policy: string
  quota: number
  window: number
  partition: 'ip' | 'user'
}

export interface Parameter {
  name: string
  in: string
  required?: boolean
  schema: Schema
  example?: Json
}

export interface Operation {
  id: string
  method: string
  path: string
  /** The required scheme of the Authorization header; absent if no token is required. */
  scheme?: string
  rateLimit: RateLimit
  loginGuard?: { 'free-failures': number; 'first-wait': number; 'longest-wait': number }
  parameters: Parameter[]
  /** The query parameters as an object schema; absent if there are none. */
  query?: Schema
  body?: { required: boolean; mediaType: string } & Content
  responses: Record<string, ResponseObject>
}

export interface Message {
  name: string
  from: 'client' | 'server'
  schema: Schema
  /** `frame` is the client frame that the example responds to, by `x-example-frames`. */
  examples: { name: string; payload: Json; frame?: string }[]
  /** Only for client messages: the rate limit of its frames, if they are counted. */
  rateLimit?: RateLimit
  /** Only for client messages: the names of the messages that reply to it. */
  replies: string[]
  /** The names in `x-example-frames`. */
  exampleFrames: string[]
}

/** How handshakes are refused for clients that offer the subprotocol for it. */
export interface Refusals {
  subprotocol: string
  /** By the status of the handshake response. */
  'close-codes': Record<string, number>
}

export interface Liveness {
  'ping-after-seconds': number
  'close-after-seconds': number
}

export interface CloseCode {
  code: number
  reason: string
  refusals?: number
}

export interface Channel {
  address: string
  method: string
  query: Schema
  headers: Schema
  subprotocol: string
  tokenPrefix: string
  /** The names of the accepted security schemes; empty if no token is required. */
  securitySchemes: string[]
  scheme: string
  /** The header that carries the offered subprotocols, one of which contains the token. */
  protocolHeader: string
  rateLimit: RateLimit
  maxFrameBytes: number
  refusals: Refusals
  liveness: Liveness
  handshakeResponses: Record<string, ResponseObject>
  closeCodes: Record<string, CloseCode>
  messages: Message[]
}

/** The content of both documents in the form that the suite uses. */
export interface Contract {
  resolved: Documents
  operations: Operation[]
  unmatched: Record<string, ResponseObject>
  problems: Record<string, { status: number; title: string; detail: string }>
  /** What `/readyz` reports, by the code of the reason. */
  readiness: Record<string, { status: number }>
  bodyBytes: number
  servicePaths: string[]
  channel: Channel
}

const METHODS = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options']

export function createContract(documents: Documents): Contract {
  const resolved = resolveReferences(documents)
  // biome-ignore lint/suspicious/noExplicitAny: this file defines the shape of the documents.
  const openapi = resolved['openapi.yaml'] as any
  return {
    resolved,
    operations: operationsOf(openapi),
    unmatched: openapi['x-unmatched-request'] ?? {},
    problems: openapi['x-problems'] ?? {},
    readiness: openapi['x-readiness'] ?? {},
    bodyBytes: openapi['x-limits']?.['request-body-bytes'],
    servicePaths: Object.keys(openapi['x-service-paths'] ?? {}),
    channel: channelOf(resolved['asyncapi.yaml'] as Node),
  }
}

// biome-ignore lint/suspicious/noExplicitAny: see above.
function operationsOf(openapi: any): Operation[] {
  const operations: Operation[] = []
  for (const [path, item] of Object.entries<Node>(openapi.paths)) {
    for (const method of METHODS.filter((method) => method in item)) {
      // biome-ignore lint/suspicious/noExplicitAny: see above.
      const operation = item[method] as any
      const [mediaType, content] = Object.entries<Content>(operation.requestBody?.content ?? {})[0] ?? []
      operations.push({
        id: operation.operationId,
        method: method.toUpperCase(),
        path,
        ...schemeOf(openapi, operation.security ?? []),
        rateLimit: operation['x-rate-limit'],
        ...(operation['x-login-guard'] && { loginGuard: operation['x-login-guard'] }),
        parameters: operation.parameters ?? [],
        ...queryOf(operation.parameters ?? []),
        ...(content && {
          body: { required: operation.requestBody.required === true, mediaType: mediaType ?? '', ...content },
        }),
        responses: operation.responses,
      })
    }
  }
  return operations
}

// biome-ignore lint/suspicious/noExplicitAny: see above.
function schemeOf(openapi: any, security: Node[]): { scheme?: string } {
  const name = Object.keys(security[0] ?? {})[0]
  return name === undefined ? {} : { scheme: openapi.components.securitySchemes[name].scheme }
}

function queryOf(parameters: Parameter[]): { query?: Schema } {
  const known = parameters.filter((one) => one.in === 'query')
  if (known.length === 0) return {}
  return {
    query: {
      type: 'object',
      properties: Object.fromEntries(known.map((one) => [one.name, one.schema])),
      required: known.filter((one) => one.required).map((one) => one.name),
      additionalProperties: false,
    },
  }
}

function headerOf(scheme: { in: string; name: string } | undefined): string {
  return scheme?.in === 'header' ? scheme.name.toLowerCase() : ''
}

function channelOf(asyncapi: Node): Channel {
  // biome-ignore lint/suspicious/noExplicitAny: see above.
  const { channels, operations, servers, components } = asyncapi as any
  const channel = channels.chat
  const binding = channel.bindings.ws
  const schemes = Object.entries(components.securitySchemes)
  // After resolving references, a channel and its operations share the same message objects.
  const operationWith = (message: unknown) =>
    // biome-ignore lint/suspicious/noExplicitAny: see above.
    Object.values<any>(operations).find((one) => one.messages.includes(message))
  return {
    address: channel.address,
    method: binding.method,
    query: binding.query,
    headers: binding.headers,
    subprotocol: channel['x-subprotocol'],
    tokenPrefix: channel['x-token-subprotocol-prefix'],
    securitySchemes: schemes
      .filter(([, scheme]) =>
        Object.values<Node>(servers).every((server) => (server.security as unknown[])?.includes(scheme)),
      )
      .map(([name]) => name),
    scheme: components.securitySchemes.bearerAuth?.scheme,
    protocolHeader: headerOf(components.securitySchemes.subprotocol),
    rateLimit: channel['x-rate-limit'],
    maxFrameBytes: channel['x-max-frame-bytes'],
    refusals: channel['x-refusals'],
    liveness: channel['x-liveness'],
    handshakeResponses: channel['x-handshake-responses'],
    closeCodes: channel['x-close-codes'],
    // biome-ignore lint/suspicious/noExplicitAny: see above.
    messages: Object.entries<any>(channel.messages).map(([name, message]): Message => {
      const operation = operationWith(message)
      const frames: Record<string, string> = message['x-example-frames'] ?? {}
      // biome-ignore lint/suspicious/noExplicitAny: see above.
      const examples: any[] = message.examples ?? []
      const replies: unknown[] = operation?.reply?.messages ?? []
      return {
        name,
        // The document describes the server: messages that it receives are sent by clients.
        from: operation?.action === 'receive' ? 'client' : 'server',
        schema: message.payload,
        examples: examples.map((one) => ({ ...one, ...(one.name in frames && { frame: frames[one.name] }) })),
        ...(operation?.['x-rate-limit'] && { rateLimit: operation['x-rate-limit'] }),
        replies: Object.entries(channel.messages).flatMap(([reply, one]) =>
          replies.includes(one) ? [reply] : [],
        ),
        exampleFrames: Object.keys(frames),
      }
    }),
  }
}

/** The contract of this run: the documents in `SPEC_DIR` if that is set, otherwise those in `spec/`. */
export const contract = createContract(
  readDocuments(process.env.SPEC_DIR ?? `${import.meta.dir}/../../../spec`),
)

/** Whether a path matches a path template, such as `/api/things/{id}`. */
export function matchesTemplate(template: string, path: string): boolean {
  const pattern = template.replaceAll('.', '\\.').replaceAll(/\{[^}]+\}/g, '[^/]+')
  return new RegExp(`^${pattern}$`).test(path)
}

/** The decoded values of the path parameters of an operation, in a path that matches its template. */
export function pathValues({ path: template }: Operation, path: string): Record<string, string> {
  const segments = path.split('/')
  const named = template
    .split('/')
    .map((part, index) => [/^\{(.+)\}$/.exec(part)?.[1], segments[index] ?? ''])
  return Object.fromEntries(
    named.flatMap(([name, value = '']) => (name === undefined ? [] : [[name, decoded(value)]])),
  )
}

/** Text that is not a valid encoding is returned unchanged. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Every rate limit in both documents. */
export function rateLimitsOf({ operations, channel }: Contract): RateLimit[] {
  return [
    ...operations.map((one) => one.rateLimit),
    channel.rateLimit,
    ...channel.messages.flatMap((one) => one.rateLimit ?? []),
  ]
}

export function operationOf(within: Contract, id: string): Operation {
  const operation = within.operations.find((one) => one.id === id)
  if (!operation) throw new Error(`There is no operation ${id}`)
  return operation
}
