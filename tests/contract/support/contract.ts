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
  examples: { name: string; payload: Json; 'x-frame'?: string }[]
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
  sendLimit: RateLimit
  maxFrameBytes: number
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
  const actionOf = (message: unknown) =>
    // biome-ignore lint/suspicious/noExplicitAny: see above.
    Object.values<any>(operations).find((one) => one.messages.includes(message))?.action
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
    sendLimit: operations.sendMessage['x-rate-limit'],
    maxFrameBytes: channel['x-max-frame-bytes'],
    handshakeResponses: channel['x-handshake-responses'],
    closeCodes: channel['x-close-codes'],
    // biome-ignore lint/suspicious/noExplicitAny: see above.
    messages: Object.entries<any>(channel.messages).map(([name, message]) => ({
      name,
      // The document describes the server: messages that it receives are sent by clients.
      from: actionOf(message) === 'receive' ? 'client' : 'server',
      schema: message.payload,
      examples: message.examples ?? [],
    })),
  }
}

/** The contract of this run: the documents in `SPEC_DIR` if that is set, otherwise those in `spec/`. */
export const contract = createContract(
  readDocuments(process.env.SPEC_DIR ?? `${import.meta.dir}/../../../spec`),
)

export function operationOf(within: Contract, id: string): Operation {
  const operation = within.operations.find((one) => one.id === id)
  if (!operation) throw new Error(`There is no operation ${id}`)
  return operation
}
