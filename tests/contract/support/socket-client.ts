import { expect as assert } from 'bun:test'
import { contract } from './contract.ts'
import type { Json } from './documents.ts'
import { judgeClosed, judgeOpened, judgeReceived, judgeTurn } from './judge.ts'
import type { Service } from './server.ts'
import { record, type SentRequest, type Turn } from './traffic.ts'

// biome-ignore lint/suspicious/noExplicitAny: a test reads what it just had judged by the schema.
type Frame = any

export interface ChatClient {
  frames: Frame[]
  send(frame: Json): void
  sendText(text: string): void
  sendBytes(bytes: Uint8Array<ArrayBuffer>): void
  /** The first frame from now on, or already here and not yet taken, that `wanted` accepts. */
  next(wanted?: (frame: Frame) => boolean): Promise<Frame>
  /** Sends a frame and waits for what its sender gets for it: the broadcast or the error. */
  turn(text: string, expect?: string): Promise<Frame>
  /** Waits for the close, and holds it against the named entry of `x-close-codes`. */
  closed(cause: string): Promise<void>
  close(): void
}

interface Options {
  token: string
  /** Whose broadcasts answer a turn; without it, anyone's of the same text do. */
  username?: string
  by?: 'header' | 'subprotocol'
  after?: string
}

let count = 0

/** Opens a socket on the channel; every frame is recorded and judged as it comes. */
export async function connect(
  service: Service,
  { token, username, by = 'header', after }: Options,
): Promise<ChatClient> {
  const { address, method, subprotocol, tokenPrefix } = contract.channel
  const socket = `${service.name}-${++count}`
  const protocols = by === 'subprotocol' ? [subprotocol, `${tokenPrefix}${token}`] : []
  const headers: Record<string, string> = by === 'header' ? { authorization: `Bearer ${token}` } : {}
  const query: Record<string, string> = after === undefined ? {} : { after }
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
  const fresh: Frame[] = []
  const findings: string[] = []
  const listeners = new Set<() => void>()
  const closing = Promise.withResolvers<{ code: number; reason: string }>()
  ws.onmessage = ({ data }) => {
    record({ kind: 'received', server: service.name, socket, text: data as string })
    findings.push(...judgeReceived(contract, data as string))
    const frame = JSON.parse(data as string)
    frames.push(frame)
    fresh.push(frame)
    for (const listener of listeners) listener()
  }
  ws.onclose = ({ code, reason }) => {
    closing.resolve({ code, reason })
    for (const listener of listeners) listener()
  }
  await new Promise<void>((resolve, reject) => {
    ws.onopen = () => resolve()
    ws.onerror = () => reject(new Error('The handshake was refused'))
  })
  ws.onerror = null
  const opened = { kind: 'opened', server: service.name, socket, request, subprotocol: ws.protocol } as const
  record(opened)
  assert(judgeOpened(contract, opened)).toEqual([])

  const sendText = (text: string) => {
    record({ kind: 'sent', server: service.name, socket, text })
    ws.send(text)
  }
  const next: ChatClient['next'] = (wanted = () => true) =>
    new Promise((resolve, reject) => {
      const look = () => {
        const index = fresh.findIndex(wanted)
        if (index < 0 && ws.readyState === WebSocket.OPEN) return
        listeners.delete(look)
        if (index < 0) reject(new Error(`Socket ${socket} closed before the frame came`))
        else resolve(fresh.splice(index, 1)[0])
      }
      listeners.add(look)
      look()
    })

  return {
    frames,
    sendText,
    send: (frame) => sendText(JSON.stringify(frame)),
    sendBytes: (bytes) => ws.send(bytes),
    next,
    async turn(text, expect) {
      const message = messageText(text)
      sendText(text)
      const own = (frame: Frame) => username === undefined || frame.user.username === username
      const answer = await next(
        (frame) =>
          frame.event === 'error' || (frame.event === 'message' && frame.message === message && own(frame)),
      )
      const turn: Turn = {
        kind: 'turn',
        server: service.name,
        socket,
        sent: text,
        answer: JSON.stringify(answer),
        ...(expect && { expect }),
      }
      record(turn)
      assert([...findings, ...judgeTurn(contract, turn)]).toEqual([])
      return answer
    },
    async closed(cause) {
      const closed = {
        kind: 'closed',
        server: service.name,
        socket,
        cause,
        ...(await closing.promise),
      } as const
      record(closed)
      assert([...findings, ...judgeClosed(contract, closed)]).toEqual([])
    },
    close: () => ws.close(),
  }
}

function messageText(text: string): unknown {
  try {
    return (JSON.parse(text) as { message?: unknown } | null)?.message
  } catch {
    return undefined
  }
}
