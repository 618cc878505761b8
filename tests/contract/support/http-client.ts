import { expect as assert } from 'bun:test'
import { contract, operationOf } from './contract.ts'
import type { Json } from './documents.ts'
import { judgeExchange } from './judge.ts'
import type { Service } from './server.ts'
import { type Exchange, record, type SentRequest, type ServerStarted } from './traffic.ts'

export interface Call {
  token?: string | undefined
  query?: Record<string, string>
  /** Names in lower case; an empty value leaves a default header out. */
  headers?: Record<string, string>
  /** Sent as JSON. */
  body?: Json
  /** Sent as it is, in place of `body`. */
  rawBody?: string | Uint8Array<ArrayBuffer>
  /** The problem that the state of the server calls for; with `?` at its end, the one that it may call for. */
  expect?: string
}

export interface Reply {
  status: number
  headers: Record<string, string>
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it just had judged by the schema.
  body: any
}

/** Calls an operation, records the exchange, and fails on the spot if it is not what the documents promise. */
export async function call(service: Service, id: string, options: Call = {}): Promise<Reply> {
  const { method, path, body } = operationOf(contract, id)
  const withBody = body && (options.body !== undefined || options.rawBody !== undefined)
  const headers = { ...(withBody && { 'content-type': body.mediaType }), ...options.headers }
  return send(service, { ...options, method, path, headers })
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
    upgrade = false,
  }: Call & { method: string; path: string; upgrade?: boolean },
): Promise<Reply> {
  const sent: SentRequest = { method, path, query, headers: sentHeaders(headers, token) }
  const payload = rawBody ?? (body === undefined ? undefined : JSON.stringify(body))
  if (payload !== undefined) sent.body = Buffer.from(payload as string).toString('latin1')
  const search = new URLSearchParams(query).toString()
  const url = `${service.url}${path}${search && `?${search}`}`
  const response = await fetch(url, {
    method,
    // An upgrade that is granted after all would never end.
    signal: AbortSignal.timeout(upgrade ? 3000 : 30_000),
    headers: { ...sent.headers, ...(upgrade && UPGRADE) },
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
  // A service that someone else started may have the documented quotas: it says how long to wait.
  const told = /"code":"([a-z-]+)"/.exec(bytes.toString())?.[1] ?? ''
  if (response.status === 429 && !expect?.includes(told)) {
    await Bun.sleep(Number(response.headers.get('retry-after') ?? 1) * 1000)
    return send(service, {
      method,
      path,
      token,
      query,
      headers,
      upgrade,
      ...(expect !== undefined && { expect }),
      ...(body !== undefined && { body }),
      ...(rawBody !== undefined && { rawBody }),
    })
  }
  record(exchange)
  assert(judgeExchange(contract, exchange, limitsUnknown(service))).toEqual([])
  const text = bytes.toString('utf8')
  const json = response.headers.get('content-type')?.includes('json')
  return { status: response.status, headers: exchange.response.headers, body: json ? JSON.parse(text) : text }
}

const UPGRADE = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': Buffer.alloc(16, 'parley').toString('base64'),
}

/** A request for an upgrade that is not granted. */
export function refusedHandshake(service: Service, options: Call = {}): Promise<Reply> {
  return send(service, {
    ...options,
    method: contract.channel.method,
    path: contract.channel.address,
    upgrade: true,
  })
}

/** Of `one?|another` the first where it was answered, otherwise the second; of `one?` the first or success. */
function expectedCode(expect: string | undefined, body: string): string | undefined {
  const [first = '', second] = (expect ?? '').split('?')
  if (expect === undefined || !expect.includes('?')) return expect
  return body.includes(`"code":"${first}"`) ? first : second?.replace('|', '') || undefined
}

function sentHeaders(headers: Record<string, string>, token: string | undefined): Record<string, string> {
  const all = { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...headers }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''))
}

/** Quotas are held at the end, over the whole record. */
function limitsUnknown({ name }: Service): ServerStarted {
  return { kind: 'server', server: name, limits: 'unknown' }
}
