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

export interface Answer {
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
  /** The scheme of the Authorization header that it needs; none where it needs no token. */
  scheme?: string
  rateLimit: RateLimit
  loginGuard?: { 'free-failures': number; 'first-wait': number; 'longest-wait': number }
  parameters: Parameter[]
  /** The query parameters as one object; none where the operation has no query. */
  query?: Schema
  body?: { required: boolean; mediaType: string } & Content
  answers: Record<string, Answer>
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
  /** The names of the ways to bring a token; none where no token is needed. */
  securitySchemes: string[]
  scheme: string
  /** The header in which the subprotocols and the token among them are offered. */
  protocolHeader: string
  rateLimit: RateLimit
  sendLimit: RateLimit
  maxFrameBytes: number
  refusals: Record<string, Answer>
  closeCodes: Record<string, CloseCode>
  messages: Message[]
}

/** What both documents promise, in the terms that the suite asks in. */
export interface Contract {
  resolved: Documents
  operations: Operation[]
  unmatched: Record<string, Answer>
  problems: Record<string, { status: number; title: string; detail: string }>
  bodyBytes: number
  servicePaths: string[]
  channel: Channel
}

const METHODS = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options']

export function createContract(documents: Documents): Contract {
  const resolved = resolveReferences(documents)
  // biome-ignore lint/suspicious/noExplicitAny: the documents' shape is what this file states.
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
      const written = item[method] as any
      const [mediaType, content] = Object.entries<Content>(written.requestBody?.content ?? {})[0] ?? []
      operations.push({
        id: written.operationId,
        method: method.toUpperCase(),
        path,
        ...schemeOf(openapi, written.security ?? []),
        rateLimit: written['x-rate-limit'],
        ...(written['x-login-guard'] && { loginGuard: written['x-login-guard'] }),
        parameters: written.parameters ?? [],
        ...queryOf(written.parameters ?? []),
        ...(content && {
          body: { required: written.requestBody.required === true, mediaType: mediaType ?? '', ...content },
        }),
        answers: written.responses,
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
  // Following the references made the messages of a channel and those of an operation one object.
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
    refusals: channel['x-handshake-responses'],
    closeCodes: channel['x-close-codes'],
    // biome-ignore lint/suspicious/noExplicitAny: see above.
    messages: Object.entries<any>(channel.messages).map(([name, message]) => ({
      name,
      // From the document's side, which is the server's: what it receives, a client sends.
      from: actionOf(message) === 'receive' ? 'client' : 'server',
      schema: message.payload,
      examples: message.examples ?? [],
    })),
  }
}

/** The contract of this run: of `SPEC_DIR` if that is set, otherwise of the project's documents. */
export const contract = createContract(
  readDocuments(process.env.SPEC_DIR ?? `${import.meta.dir}/../../../spec`),
)

export function operationOf(within: Contract, id: string): Operation {
  const operation = within.operations.find((one) => one.id === id)
  if (!operation) throw new Error(`No operation is called ${id}`)
  return operation
}
