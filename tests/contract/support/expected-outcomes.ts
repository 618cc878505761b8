import {
  type Channel,
  type Contract,
  type Message,
  type Operation,
  pathValues,
  type Schema,
} from './contract.ts'
import type { Json } from './documents.ts'
import { type Violation, violationsOf } from './schemas.ts'
import type { SentRequest } from './traffic.ts'

/** The problems that the documents allow for a request, by code, each with the violations it has to report. */
export type ExpectedProblems = Map<string, Violation[]>

/** The expected problems of a request, as far as they do not depend on the state of the server. */
export function expectedProblemsOfRequest(
  contract: Contract,
  operation: Operation,
  request: SentRequest,
): ExpectedProblems {
  const expected: ExpectedProblems = new Map()
  const violations: Violation[] = []

  if (operation.scheme && !tokenOf(request, operation.scheme)) expected.set('missing-token', [])
  for (const parameter of operation.parameters.filter((one) => one.in === 'header')) {
    const value = request.headers[parameter.name.toLowerCase()]
    if (value === undefined) continue
    const broken = violationsOf(parameter.schema, value)
    if (broken.length === 0) continue
    // An unsupported version has its own problem type.
    if (parameter.name === 'API-Version') expected.set('unsupported-api-version', [])
    else violations.push(...broken.map((violation) => ({ ...violation, pointer: `/${parameter.name}` })))
  }
  const path = pathValues(operation, request.path)
  for (const { name, schema } of operation.parameters.filter((one) => one.in === 'path')) {
    // Nothing is at a path that no resource can have.
    if (violationsOf(schema, path[name]).length > 0) expected.set('not-found', [])
  }
  if (operation.query) violations.push(...queryViolations(operation.query, request.query))

  if (operation.body) {
    const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase()
    if (type !== operation.body.mediaType || request.headers['content-encoding']) {
      expected.set('unsupported-media-type', [])
    }
    const body = request.body ?? ''
    if (body.length > contract.bodyBytes) expected.set('content-too-large', [])
    const value = body === '' && !operation.body.required ? undefined : parseJson(body)
    if (value === MALFORMED) expected.set('malformed-json', [])
    // A body that is too large is not validated.
    else if (value !== undefined && body.length <= contract.bodyBytes)
      violations.push(...violationsOf(operation.body.schema, value))
  }
  if (violations.length > 0) expected.set('validation-failed', violations)
  return expected
}

/** The expected problems of a handshake, by asyncapi.yaml. */
export function expectedProblemsOfHandshake(channel: Channel, request: SentRequest): ExpectedProblems {
  const faults = faultsOfHandshake(channel, request.upgrade ?? {})
  if (faults.length > 0) return new Map(faults.map((code) => [code, []]))
  const expected: ExpectedProblems = new Map()
  const version = channel.headers.properties?.['API-Version']
  const asked = request.headers['api-version']
  if (version && asked !== undefined && violationsOf(version, asked).length > 0) {
    expected.set('unsupported-api-version', [])
  }
  const offered = offeredProtocols(channel, request)
  // The subprotocol is the API version of the connection.
  if (offered.length > 0 && !offered.includes(channel.subprotocol))
    expected.set('unsupported-api-version', [])
  const byHeader =
    channel.securitySchemes.includes('bearerAuth') && tokenOf(request, channel.scheme) !== undefined
  const byProtocol =
    channel.securitySchemes.includes('subprotocol') &&
    offered.some((one) => one.startsWith(channel.tokenPrefix) && one.length > channel.tokenPrefix.length)
  if (channel.securitySchemes.length > 0 && !byHeader && !byProtocol) expected.set('missing-token', [])
  const violations = queryViolations(channel.query, request.query)
  if (violations.length > 0) expected.set('validation-failed', violations)
  return expected
}

function offeredProtocols(channel: Channel, request: SentRequest): string[] {
  const header = request.headers[channel.protocolHeader]
  return header === undefined ? [] : header.split(',').map((one) => one.trim())
}

/** The token of a handshake: in the Authorization header, or in a subprotocol. */
export function tokenOfHandshake(channel: Channel, request: SentRequest): string | undefined {
  const offered = offeredProtocols(channel, request).find((one) => one.startsWith(channel.tokenPrefix))
  return tokenOf(request, channel.scheme) ?? offered?.slice(channel.tokenPrefix.length)
}

/** The problems of a handshake whose headers violate RFC 6455, section 4.2.1. */
function faultsOfHandshake(channel: Channel, changed: Record<string, string>): string[] {
  const headers = { ...UPGRADE, ...changed }
  const has = (name: 'upgrade' | 'connection', token: string) =>
    headers[name]?.split(',').some((one) => one.trim().toLowerCase() === token)
  const version = channel.handshakeResponses['426']?.headers?.['Sec-WebSocket-Version']?.schema.const
  const faults: string[] = []
  const isKey = /^[A-Za-z0-9+/]{22}==$/.test(headers['sec-websocket-key'])
  if (!has('upgrade', 'websocket') || !has('connection', 'upgrade') || !isKey)
    faults.push('malformed-handshake')
  if (headers['sec-websocket-version'] !== version) faults.push('unsupported-websocket-version')
  return faults
}

/** The headers of a valid handshake. */
export const UPGRADE = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': Buffer.alloc(16, 'parley').toString('base64'),
}

/** The expected problems of a client frame, by asyncapi.yaml. */
export function expectedProblemsOfFrame(channel: Channel, text: string): ExpectedProblems {
  const value = parseJsonText(text)
  if (value === MALFORMED) return new Map([['malformed-json', []]])
  const violations = violationsOf(frameSchema(channel, value as Json), withDefaults(channel, value as Json))
  return violations.length === 0 ? new Map() : new Map([['validation-failed', violations]])
}

/** The schema for a client frame. */
export function frameSchema(channel: Channel, frame: Json): Schema {
  return clientMessageOf(channel, frame)?.schema ?? {}
}

/** The message of a client frame: the one with its event, or the one that does not require an event. */
export function clientMessageOf(channel: Channel, frame: Json): Message | undefined {
  const clientMessages = channel.messages.filter((message) => message.from === 'client')
  const event = typeof frame === 'object' && frame !== null && !Array.isArray(frame) ? frame.event : undefined
  const named = clientMessages.find((message) => message.schema.properties?.event?.const === event)
  const nameless = clientMessages.find((message) => !message.schema.required?.includes('event'))
  return named ?? nameless ?? clientMessages[0]
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

function queryViolations(schema: Schema, query: Record<string, string>): Violation[] {
  const typed = Object.entries(query).map(([name, text]) => {
    const number = schema.properties?.[name]?.type === 'integer' && /^-?[0-9]+$/.test(text)
    return [name, number ? Number(text) : text]
  })
  return violationsOf(schema, Object.fromEntries(typed))
}

export const MALFORMED = Symbol('not JSON in UTF-8')

/** Parses a body that is stored as latin1, one character per byte. */
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
