import asyncapiDocument from '../../spec/asyncapi.yaml'
import openapiDocument from '../../spec/openapi.yaml'

/** A JSON Schema (dialect 2020-12). */
export type JsonSchema = { readonly [keyword: string]: unknown }

export interface RateLimit {
  readonly policy: string
  /** Requests per window. */
  readonly quota: number
  /** Seconds. */
  readonly window: number
  readonly partition: 'ip' | 'user'
}

/** Times are in seconds. */
export interface LoginGuardPolicy {
  readonly 'free-failures': number
  readonly 'first-wait': number
  readonly 'longest-wait': number
  readonly 'forgotten-after': number
}

export interface CloseCode {
  readonly code: number
  readonly reason: string
  readonly refusals?: number
}

interface Header {
  readonly required?: boolean
  readonly schema: JsonSchema
}

interface Parameter extends Header {
  readonly name: string
  readonly in: 'header' | 'query' | 'path'
}

interface Example {
  readonly value?: unknown
}

export interface ResponseObject {
  readonly headers?: Record<string, Header>
  readonly content?: Record<
    string,
    { readonly schema: JsonSchema; readonly examples?: Record<string, Example> }
  >
}

export interface OperationObject {
  readonly operationId: string
  readonly deprecated?: boolean
  readonly 'x-deprecated-at'?: string
  readonly 'x-sunset'?: string
  readonly security: readonly unknown[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Record<string, { readonly schema: JsonSchema }> }
  readonly responses: Record<string, ResponseObject>
  readonly 'x-rate-limit': RateLimit
  readonly 'x-login-guard'?: LoginGuardPolicy
}

export interface ProblemEntry {
  readonly status: number
  readonly title: string
  readonly detail: string
  readonly when: string
  readonly action: string
}

interface OpenApi {
  readonly info: { readonly title: string; readonly version: string; readonly summary: string }
  readonly paths: Record<string, Record<string, OperationObject>>
  readonly components: {
    readonly schemas: Record<string, JsonSchema>
    readonly headers: Record<string, Header>
    readonly parameters: { readonly ApiVersion: Parameter }
  }
  readonly 'x-trace-context': { readonly 'request-header': string }
  readonly 'x-limits': {
    readonly 'request-body-bytes': number
    readonly 'rooms-per-user': number
    readonly 'members-per-room': number
    readonly 'members-with-events': number
  }
  readonly 'x-service-paths': Record<string, string>
  readonly 'x-readiness': Record<string, { readonly status: number; readonly when: string }>
  readonly 'x-problems': Record<string, ProblemEntry>
}

interface AsyncApi {
  readonly channels: {
    readonly chat: {
      readonly address: string
      readonly bindings: { readonly ws: { readonly query: JsonSchema } }
      readonly 'x-subprotocol': string
      readonly 'x-token-subprotocol-prefix': string
      readonly 'x-rate-limit': RateLimit
      readonly 'x-max-frame-bytes': number
      readonly 'x-liveness': { readonly 'ping-after-seconds': number; readonly 'close-after-seconds': number }
      readonly 'x-refusals': {
        readonly subprotocol: string
        /** Close codes by the status of the handshake response. */
        readonly 'close-codes': Readonly<Record<string, number>>
      }
      readonly 'x-close-codes': Record<string, CloseCode>
    }
  }
  readonly operations: {
    readonly sendMessage: { readonly 'x-rate-limit': RateLimit }
    readonly ping: { readonly 'x-rate-limit': RateLimit }
    readonly authenticate: { readonly 'x-rate-limit': RateLimit }
  }
  readonly components: { readonly schemas: Record<string, JsonSchema> }
}

/** The documents with unresolved `$ref`s. */
export const sources = { openapi: openapiDocument as object, asyncapi: asyncapiDocument as object }

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

/** The value at a JSON pointer (RFC 6901, as a URI fragment) in `document`. */
function resolvePointer(document: unknown, pointer: string): unknown {
  let value = document
  for (const token of pointer.split('/').slice(1)) {
    const key = decodeURIComponent(token).replaceAll('~1', '/').replaceAll('~0', '~')
    value = isObject(value) ? value[key] : undefined
  }
  if (value === undefined) throw new Error(`The documents refer to ${pointer}, which does not exist`)
  return value
}

/** Resolved references, by document and pointer. */
const resolved = new Map<unknown, Map<string, unknown>>()

/**
 * Replaces each `$ref` with its target, so that the rest of the program never sees one. Only the values that
 * contain a reference are copied: copying all of them would delay each start.
 */
function resolveReferences(value: unknown, document: unknown): unknown {
  if (!isObject(value)) return value
  if (typeof value.$ref === 'string') {
    const [file = '', pointer = ''] = value.$ref.split('#')
    return resolveReference(pointer, file === './openapi.yaml' ? sources.openapi : document)
  }
  let copy: Record<string, unknown> | undefined
  for (const key of Object.keys(value)) {
    const item = value[key]
    const target = resolveReferences(item, document)
    if (target === item) continue
    copy ??= (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>
    copy[key] = target
  }
  return copy ?? value
}

function resolveReference(pointer: string, document: unknown): unknown {
  const known = resolved.get(document) ?? new Map<string, unknown>()
  resolved.set(document, known)
  if (known.has(pointer)) {
    const target = known.get(pointer)
    if (target === undefined) throw new Error(`The documents contain a circular reference: ${pointer}`)
    return target
  }
  // Undefined marks a reference that is being resolved.
  known.set(pointer, undefined)
  const target = resolveReferences(resolvePointer(document, pointer), document)
  known.set(pointer, target)
  return target
}

/** `openapi.yaml` with every `$ref` resolved. */
export const openapi = resolveReferences(sources.openapi, sources.openapi) as OpenApi

/** `asyncapi.yaml` with every `$ref` resolved. */
export const asyncapi = resolveReferences(sources.asyncapi, sources.asyncapi) as AsyncApi
