import { type Account, bearer } from './account.ts'
import type { ChatMessage } from './ledger.ts'
import type { Observer } from './report.ts'
import type { Server } from './server.ts'
import { within } from './waiting.ts'

/** How a client disconnects: by a `disconnect` frame, by closing, or by losing its network connection. */
export type Leave = 'disconnect' | 'close' | 'drop'

export interface Closed {
  code: number
  reason: string
  atMs: number
}

/** A client that remembers the last message it received and resumes after it. */
export interface Reader extends Observer {
  seen: ChatMessage[]
  /** Resolves when the client is connected. Rejects if the server rejects the handshake. */
  connect(server: Server): Promise<void>
  /** Disconnects. Messages that arrive later are ignored. */
  leave(how: Leave): void
  /** Resolves when the current connection is closed. */
  closed(): Promise<Closed>
  /** Resolves when the client has received the message with this id. */
  waitFor(id: string): Promise<void>
}

/** Creates readers that all start after the message with the id `after`. */
export function createReaders(
  account: Account,
  after: string,
): (name: string, seen?: ChatMessage[]) => Reader {
  // Hundreds of readers receive the same frames: parse and store each frame once.
  const messages = new Map<string, ChatMessage>()
  return (name, seen = []) => createReader({ name, seen, account, after, messages })
}

type Frame = ChatMessage | { event: 'caught-up'; cursor: string } | { event: 'error' | 'gap' }

interface Start {
  name: string
  seen: ChatMessage[]
  account: Account
  after: string
  messages: Map<string, ChatMessage>
}

function createReader({ name, seen, account, after, messages }: Start): Reader {
  const seenIds = new Set(seen.map(({ id }) => id))
  let failure: Error | undefined
  let socket: WebSocket | undefined
  let closing = Promise.withResolvers<Closed>()
  let awaited: { id: string; resolve: () => void; reject: (error: Error) => void } | undefined

  const onFrame = (text: string) => {
    const frame = messages.get(text) ?? (JSON.parse(text) as Frame)
    if (frame.event === 'caught-up' && frame.cursor === (seen.at(-1)?.id ?? after)) return
    if (frame.event !== 'message') {
      // Unexpected: the log keeps all messages, so there is no gap, a replay ends with the last message that
      // the reader has received, and a reader sends nothing.
      failure = new Error(`${name} received ${text}`)
      awaited?.reject(failure)
      return
    }
    const message = frame
    messages.set(text, message)
    seen.push(message)
    seenIds.add(message.id)
    if (message.id === awaited?.id) awaited.resolve()
  }

  return {
    name,
    seen,
    async connect(server) {
      const opening = Promise.withResolvers<void>()
      const ending = Promise.withResolvers<Closed>()
      closing = ending
      const url = `${server.url.replace('http', 'ws')}/?after=${seen.at(-1)?.id ?? after}`
      const connection = new WebSocket(url, { headers: bearer(account) })
      socket = connection
      connection.onopen = () => opening.resolve()
      connection.onmessage = ({ data }) => {
        if (socket === connection) onFrame(data as string)
      }
      connection.onclose = ({ code, reason }) => {
        if (socket === connection) socket = undefined
        opening.reject(new Error(`${name} could not connect: ${code} ${reason}`))
        ending.resolve({ code, reason, atMs: performance.now() })
      }
      await within(30_000, `${name} connects`, opening.promise)
    },
    leave(how) {
      const connection = socket
      socket = undefined
      if (!connection) return
      if (how === 'drop') connection.terminate()
      else if (how === 'close' || connection.readyState !== WebSocket.OPEN) connection.close()
      else connection.send(JSON.stringify({ event: 'disconnect' }))
    },
    closed: () => closing.promise,
    waitFor(id) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      awaited = { id, resolve, reject }
      if (failure) reject(failure)
      else if (seenIds.has(id)) resolve()
      return within(30_000, `${name} receives ${id}, after ${seen.length} messages`, promise)
    },
  }
}
