import { expect as assert } from 'bun:test'
import { checkExchange } from './checks.ts'
import { contract, operationOf, pathValues } from './contract.ts'
import type { Json } from './documents.ts'
import { UPGRADE } from './expected-outcomes.ts'
import type { Service } from './server.ts'
import { checkRefused } from './socket-checks.ts'
import {
  type Exchange,
  type Refused,
  recordTraffic,
  type SentRequest,
  type ServerStarted,
} from './traffic.ts'

export interface Call {
  token?: string | undefined
  /** The values of the path parameters. */
  path?: Record<string, string>
  query?: Record<string, string>
  /** Names in lower case. An empty value removes a default header. */
  headers?: Record<string, string>
  /** Sent as JSON. */
  body?: Json
  /** Sent unchanged, instead of `body`. */
  rawBody?: string | Uint8Array<ArrayBuffer>
  /**
   * The code of the problem that the server's state causes. `code?` also accepts success, `code?|other`
   * accepts either problem, and `code?|other?` both and success.
   */
  expect?: string
}

export interface CallResponse {
  status: number
  headers: Record<string, string>
  // biome-ignore lint/suspicious/noExplicitAny: the body has been validated by its schema.
  body: any
}

/** Calls an operation, records the exchange, and fails if the response contradicts the documents. */
export async function call(service: Service, id: string, options: Call = {}): Promise<CallResponse> {
  const { method, path, body } = operationOf(contract, id)
  const withBody = body && (options.body !== undefined || options.rawBody !== undefined)
  const headers = { ...(withBody && { 'content-type': body.mediaType }), ...options.headers }
  return send(service, { ...options, method, path: pathOf(path, options.path), headers })
}

/** The id of the message in the `Content-Location` of a send. */
export function idIn({ headers }: CallResponse): string {
  return pathValues(operationOf(contract, 'getMessage'), headers['content-location'] ?? '').id ?? ''
}

function pathOf(template: string, values: Record<string, string> = {}): string {
  return template.replaceAll(/\{([^}]+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ''))
}

export async function send(
  service: Service,
  {
    method,
    path,
    token,
    query = {},
    headers = {},
    body,
    rawBody,
    expect,
    upgrade,
  }: Omit<Call, 'path'> & { method: string; path: string; upgrade?: Record<string, string> },
): Promise<CallResponse> {
  const sent: SentRequest = {
    method,
    path,
    query,
    headers: sentHeaders(headers, token),
    ...(upgrade && { upgrade }),
  }
  const payload = rawBody ?? (body === undefined ? undefined : JSON.stringify(body))
  if (payload !== undefined) sent.body = Buffer.from(payload as string).toString('latin1')
  const search = new URLSearchParams(query).toString()
  const url = `${service.url}${path}${search && `?${search}`}`
  const response = await fetch(url, {
    method,
    // A handshake that unexpectedly succeeds would never end.
    signal: AbortSignal.timeout(upgrade ? 3000 : 30_000),
    headers: { ...sent.headers, ...(upgrade && withoutEmpty({ ...UPGRADE, ...upgrade })) },
    ...(payload !== undefined && {
      body: typeof payload === 'string' ? new TextEncoder().encode(payload) : payload,
    }),
  })
  const bytes = Buffer.from(await response.arrayBuffer())
  const exchange: Exchange = {
    kind: upgrade ? 'handshake' : 'exchange',
    server: service.name,
    at: Math.round(performance.timeOrigin + performance.now()),
    request: sent,
    response: {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: bytes.toString('latin1'),
    },
  }
  const code = expectedCode(expect, bytes.toString())
  if (code !== undefined) exchange.expect = code
  // A service at BASE_URL may have the documented quotas: wait for Retry-After and try again.
  const limitCode = /"code":"([a-z-]+)"/.exec(bytes.toString())?.[1] ?? ''
  if (response.status === 429 && !expect?.includes(limitCode)) {
    await Bun.sleep(Number(response.headers.get('retry-after') ?? 1) * 1000)
    return send(service, {
      method,
      path,
      token,
      query,
      headers,
      ...(upgrade && { upgrade }),
      ...(expect !== undefined && { expect }),
      ...(body !== undefined && { body }),
      ...(rawBody !== undefined && { rawBody }),
    })
  }
  recordTraffic(exchange)
  assert(checkExchange(contract, exchange, limitsUnknown(service))).toEqual([])
  const text = bytes.toString('utf8')
  const json = response.headers.get('content-type')?.includes('json')
  return { status: response.status, headers: exchange.response.headers, body: json ? JSON.parse(text) : text }
}

/**
 * Sends a handshake that has to be rejected, and sends it again with the subprotocol for refusals that a
 * page can read.
 */
export async function rejectedHandshake(service: Service, options: Call = {}): Promise<CallResponse> {
  const response = await malformedHandshake(service, {}, options)
  await refusedHandshake(service, options)
  return response
}

/** Sends a handshake with changed headers of the WebSocket protocol. An empty value removes the header. */
export function malformedHandshake(
  service: Service,
  upgrade: Record<string, string>,
  { path: _, ...options }: Call = {},
): Promise<CallResponse> {
  const { method, address: path } = contract.channel
  return send(service, { ...options, method, path, upgrade })
}

/** Opens a WebSocket that offers the subprotocol for refusals, and checks the close frame. */
async function refusedHandshake(service: Service, options: Call): Promise<void> {
  const { method, address: path, protocolHeader, refusals, subprotocol } = contract.channel
  const { query = {}, token, expect } = options
  const all = sentHeaders(options.headers ?? {}, token)
  const { [protocolHeader]: offered = subprotocol, ...headers } = all
  const protocols = [...offered.split(',').map((one) => one.trim()), refusals.subprotocol]
  const search = new URLSearchParams(query).toString()
  const url = `${service.url.replace(/^http/, 'ws')}${path}${search && `?${search}`}`
  const socket = new WebSocket(url, { headers, protocols } as unknown as string[])
  const { promise, resolve } = Promise.withResolvers<CloseEvent>()
  socket.onclose = resolve
  socket.onerror = () => {}
  const { code, reason } = await promise
  // As for a response: a service with the documented quotas refuses more than the test expects.
  if (reason === 'rate-limit-exceeded' && !expect?.includes(reason)) {
    await Bun.sleep(5000)
    return refusedHandshake(service, options)
  }
  const request = { method, path, query, headers: { ...headers, [protocolHeader]: protocols.join(', ') } }
  const refused: Refused = {
    kind: 'refused',
    server: service.name,
    request,
    subprotocol: socket.protocol,
    code,
    reason,
  }
  if (expect !== undefined) refused.expect = expect
  recordTraffic(refused)
  assert(checkRefused(contract, refused)).toEqual([])
}

/** A `traceparent` of a new trace, as W3C Trace Context defines it. */
export function newTraceparent(): string {
  const hex = (bytes: number) => Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString('hex')
  return `00-${hex(16)}-${hex(8)}-01`
}

/** Resolves alternatives to the one that the response body contains; without one, to the one that is not optional. */
function expectedCode(expect: string | undefined, body: string): string | undefined {
  const alternatives = expect?.split('|') ?? []
  const codes = alternatives.map((one) => one.replace('?', ''))
  return (
    codes.find((code) => body.includes(`"code":"${code}"`)) ?? alternatives.find((one) => !one.endsWith('?'))
  )
}

function sentHeaders(headers: Record<string, string>, token: string | undefined): Record<string, string> {
  const authorization = token !== undefined && { authorization: `Bearer ${token}` }
  return withoutEmpty({ traceparent: newTraceparent(), ...authorization, ...headers })
}

function withoutEmpty(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== ''))
}

/** Rate-limit counts are checked at the end, over all recorded traffic. */
function limitsUnknown({ name }: Service): ServerStarted {
  return { kind: 'server', server: name, limits: 'unknown' }
}
