import type { Channel, Contract, Operation, Schema } from './contract.ts'
import type { Json } from './documents.ts'
import { type Fault, faultsOf } from './schemas.ts'
import type { SentRequest } from './traffic.ts'

/** The problems that a request earns by itself, by code, each with the faults that it has to name. */
export type Refusals = Map<string, Fault[]>

/** What the documents say about a request, without knowing the state of the server. */
export function refusalsOfRequest(contract: Contract, operation: Operation, request: SentRequest): Refusals {
  const refusals: Refusals = new Map()
  const faults: Fault[] = []

  if (operation.scheme && !tokenOf(request, operation.scheme)) refusals.set('missing-token', [])
  for (const parameter of operation.parameters.filter((one) => one.in === 'header')) {
    const value = request.headers[parameter.name.toLowerCase()]
    if (value === undefined) continue
    const broken = faultsOf(parameter.schema, value)
    if (broken.length === 0) continue
    // The version has a problem type of its own, since everything else depends on it.
    if (parameter.name === 'API-Version') refusals.set('unsupported-api-version', [])
    else faults.push(...broken.map((fault) => ({ ...fault, pointer: `/${parameter.name}` })))
  }
  if (operation.query) faults.push(...faultsOfQuery(operation.query, request.query))

  if (operation.body) {
    const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase()
    if (type !== operation.body.mediaType || request.headers['content-encoding']) {
      refusals.set('unsupported-media-type', [])
    }
    const body = request.body ?? ''
    if (body.length > contract.bodyBytes) refusals.set('content-too-large', [])
    const value = body === '' && !operation.body.required ? undefined : parseJson(body)
    if (value === MALFORMED) refusals.set('malformed-json', [])
    // What is too large is not looked at any further.
    else if (value !== undefined && body.length <= contract.bodyBytes)
      faults.push(...faultsOf(operation.body.schema, value))
  }
  if (faults.length > 0) refusals.set('validation-failed', faults)
  return refusals
}

/** What asyncapi.yaml says about a request for an upgrade. */
export function refusalsOfHandshake(channel: Channel, request: SentRequest): Refusals {
  const refusals: Refusals = new Map()
  const version = channel.headers.properties?.['API-Version']
  const asked = request.headers['api-version']
  if (version && asked !== undefined && faultsOf(version, asked).length > 0) {
    refusals.set('unsupported-api-version', [])
  }
  const offered = (request.headers[channel.protocolHeader] ?? '').split(',').map((one) => one.trim())
  const byHeader =
    channel.securitySchemes.includes('bearerAuth') && tokenOf(request, channel.scheme) !== undefined
  const byProtocol =
    channel.securitySchemes.includes('subprotocol') &&
    offered[0] === channel.subprotocol &&
    offered.some((one) => one.startsWith(channel.tokenPrefix) && one.length > channel.tokenPrefix.length)
  if (channel.securitySchemes.length > 0 && !byHeader && !byProtocol) refusals.set('missing-token', [])
  const faults = faultsOfQuery(channel.query, request.query)
  if (faults.length > 0) refusals.set('validation-failed', faults)
  return refusals
}

/** What asyncapi.yaml says about a client's frame. */
export function refusalsOfFrame(channel: Channel, text: string): Refusals {
  const value = parseJsonText(text)
  if (value === MALFORMED) return new Map([['malformed-json', []]])
  const faults = faultsOf(frameSchema(channel, value as Json), withDefaults(channel, value as Json))
  return faults.length === 0 ? new Map() : new Map([['validation-failed', faults]])
}

/** The message that a client's frame claims to be: by its event, or the one that needs none. */
export function frameSchema(channel: Channel, frame: Json): Schema {
  const own = channel.messages.filter((message) => message.from === 'client')
  const event = typeof frame === 'object' && frame !== null && !Array.isArray(frame) ? frame.event : undefined
  const named = own.find((message) => message.schema.properties?.event?.const === event)
  const nameless = own.find((message) => !message.schema.required?.includes('event'))
  return (named ?? nameless ?? own[0])?.schema ?? {}
}

function withDefaults(channel: Channel, frame: Json): Json {
  if (typeof frame !== 'object' || frame === null || Array.isArray(frame)) return frame
  const event = frameSchema(channel, frame).properties?.event?.default
  return event === undefined ? frame : { event, ...frame }
}

function tokenOf(request: SentRequest, scheme: string): string | undefined {
  const [first, token] = (request.headers.authorization ?? '').split(/ +/)
  return first?.toLowerCase() === scheme.toLowerCase() ? token : undefined
}

function faultsOfQuery(schema: Schema, query: Record<string, string>): Fault[] {
  const typed = Object.entries(query).map(([name, text]) => {
    const number = schema.properties?.[name]?.type === 'integer' && /^-?[0-9]+$/.test(text)
    return [name, number ? Number(text) : text]
  })
  return faultsOf(schema, Object.fromEntries(typed))
}

export const MALFORMED = Symbol('not JSON in UTF-8')

/** The JSON value of a body that holds one byte a character. */
export function parseJson(body: string): Json | typeof MALFORMED {
  try {
    return parseJsonText(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(body, 'latin1')))
  } catch {
    return MALFORMED
  }
}

export function parseJsonText(text: string): Json | typeof MALFORMED {
  try {
    return JSON.parse(text) as Json
  } catch {
    return MALFORMED
  }
}
