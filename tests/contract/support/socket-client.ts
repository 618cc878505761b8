import { expect as assert } from 'bun:test'
import { contract } from './contract.ts'
import type { Json } from './documents.ts'
import { clientMessageOf, MALFORMED, parseJsonText } from './expected-outcomes.ts'
import { newTraceparent } from './http-client.ts'
import type { Service } from './server.ts'
import { checkClosed, checkOpened, checkReceived, checkTurn } from './socket-checks.ts'
import { type Opened, recordTraffic, type SentRequest, type Turn } from './traffic.ts'

// biome-ignore lint/suspicious/noExplicitAny: the frame has been validated by its schema.
type Frame = any

export interface ChatClient {
  frames: Frame[]
  send(frame: Json): void
  sendText(text: string): void
  sendBytes(bytes: Uint8Array<ArrayBuffer>): void
  /** Resolves to the next frame that `matches` accepts, including received frames that no call has returned yet. */
  next(matches?: (frame: Frame) => boolean): Promise<Frame>
  /** Sends a frame and waits for one of the documented replies to it. */
  turn(text: string, expect?: string): Promise<Frame>
  /** Waits for the close and checks it against an entry of `x-close-codes`. */
  closed(cause: string): Promise<void>
  close(): void
}

interface Options {
  token: string
  /** If set, `turn` only accepts broadcasts of this user. Otherwise it accepts any with the sent text. */
  username?: string
  by?: 'header' | 'subprotocol'
  after?: string
  /** Whether the client also receives the rooms of its user. */
  rooms?: boolean
  /** Whether the client also offers the subprotocol for refused handshakes. */
  readsRefusals?: boolean
}

let count = 0

/** Opens a WebSocket on the channel. Every received frame is recorded and checked. */
export async function connect(
  service: Service,
  { token, username, by = 'header', after, rooms = false, readsRefusals = false }: Options,
): Promise<ChatClient> {
  const { address, method, subprotocol, tokenPrefix, refusals } = contract.channel
  const socket = `${service.name}-${++count}`
  const protocols = by === 'subprotocol' ? [subprotocol, `${tokenPrefix}${token}`] : []
  if (readsRefusals) protocols.push(refusals.subprotocol)
  const headers: Record<string, string> = {
    traceparent: newTraceparent(),
    ...(by === 'header' && { authorization: `Bearer ${token}` }),
  }
  const query: Record<string, string> = {
    ...(after !== undefined && { after }),
    ...(rooms && { rooms: 'mine' }),
  }
  const search = new URLSearchParams(query).toString()
  const url = `${service.url.replace(/^http/, 'ws')}${address}${search && `?${search}`}`
  const ws = new WebSocket(url, { headers, protocols } as unknown as string[])
  const request: SentRequest = {
    method,
    path: address,
    query,
    headers: { ...headers, ...(protocols.length > 0 && { 'sec-websocket-protocol': protocols.join(', ') }) },
  }

  const frames: Frame[] = []
  const unread: Frame[] = []
  const findings: string[] = []
  const listeners = new Set<() => void>()
  const closing = Promise.withResolvers<{ code: number; reason: string }>()
  ws.onmessage = ({ data }) => {
    recordTraffic({ kind: 'received', server: service.name, socket, text: data as string })
    findings.push(...checkReceived(contract, data as string))
    const frame = JSON.parse(data as string)
    frames.push(frame)
    unread.push(frame)
    for (const listener of listeners) listener()
  }
  ws.onclose = ({ code, reason }) => {
    closing.resolve({ code, reason })
    for (const listener of listeners) listener()
  }
  const opened = (): Opened => {
    return { kind: 'opened', server: service.name, socket, request, subprotocol: ws.protocol }
  }
  await new Promise<void>((resolve, reject) => {
    ws.onopen = () => {
      // Recorded before the first frame can arrive.
      recordTraffic(opened())
      resolve()
    }
    ws.onerror = () => reject(new Error('The handshake was rejected'))
  })
  ws.onerror = null
  assert(checkOpened(contract, opened())).toEqual([])

  const sendText = (text: string) => {
    recordTraffic({ kind: 'sent', server: service.name, socket, text })
    ws.send(text)
  }
  const next: ChatClient['next'] = (matches = () => true) =>
    new Promise((resolve, reject) => {
      const check = () => {
        const index = unread.findIndex(matches)
        if (index < 0 && ws.readyState === WebSocket.OPEN) return
        listeners.delete(check)
        if (index < 0) reject(new Error(`Socket ${socket} closed before the expected frame arrived`))
        else resolve(unread.splice(index, 1)[0])
      }
      listeners.add(check)
      check()
    })

  return {
    frames,
    sendText,
    send: (frame) => sendText(JSON.stringify(frame)),
    sendBytes: (bytes) => ws.send(bytes),
    next,
    async turn(text, expect) {
      const parsed = parseJsonText(text)
      const sent: Frame = parsed === MALFORMED ? null : parsed
      sendText(text)
      const isReply = (frame: Frame) => {
        if (frame.event === 'error') return true
        if (!replies.includes(frame.event)) return false
        if (frame.event === 'stored') return frame.idempotencyKey === sent?.idempotencyKey
        if (frame.event !== 'message') return true
        const own = username === undefined || frame.user.username === username
        return own && frame.message === sent?.message
      }
      const replies = clientMessageOf(contract.channel, sent)?.replies ?? []
      const reply = await next(isReply)
      const turn: Turn = {
        kind: 'turn',
        server: service.name,
        socket,
        sent: text,
        reply: JSON.stringify(reply),
        at: Math.round(performance.timeOrigin + performance.now()),
        ...(expect && { expect }),
      }
      recordTraffic(turn)
      assert([...findings, ...checkTurn(contract, turn)]).toEqual([])
      return reply
    },
    async closed(cause) {
      const closed = {
        kind: 'closed',
        server: service.name,
        socket,
        cause,
        ...(await closing.promise),
      } as const
      recordTraffic(closed)
      assert([...findings, ...checkClosed(contract, closed)]).toEqual([])
    },
    close: () => ws.close(),
  }
}
