import parts from './documents.gen.json'
import { resolveReferences } from './references.ts'

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

export interface Header {
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

export interface OpenApi {
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

export interface AsyncApi {
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

const documents = resolveReferences(parts)

/** The headers that the document fixes for every response, such as the API version. */
export const commonHeaders: Readonly<Record<string, string>> = parts.commonHeaders

/**
 * `openapi.yaml` with every `$ref` resolved, without its descriptions, examples and failures. `full-documents.ts` has all of
 * it, but parsing and resolving all of it would delay each start.
 */
export const openapi = documents.openapi as OpenApi

/** `asyncapi.yaml` with every `$ref` resolved, without its descriptions, messages and examples. */
export const asyncapi = documents.asyncapi as AsyncApi
