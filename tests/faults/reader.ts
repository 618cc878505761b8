import { type Account, bearer } from './account.ts'
import type { ChatMessage } from './ledger.ts'
import type { Server } from './server.ts'
import type { Witness } from './verdict.ts'
import { within } from './waiting.ts'

/** How a client leaves: as it should, by closing, or like a phone that loses its network. */
export type Leave = 'disconnect' | 'close' | 'vanish'

export interface Closed {
  code: number
  reason: string
  atMs: number
}

/** A client that remembers the last message it saw, and resumes after it. */
export interface Reader extends Witness {
  saw: ChatMessage[]
  /** Resolves once it is connected. Rejects where the server does not upgrade. */
  connect(server: Server): Promise<void>
  /** Leaves; what arrives from now on has not been seen. */
  leave(how: Leave): void
  /** How the present connection ended, once it has. */
  closed(): Promise<Closed>
  /** Resolves once it has seen the message of this id. */
  reach(id: string): Promise<void>
}

/** Readers of one log, all of which begin after the message of this id. */
export function createReaders(
  account: Account,
  after: string,
): (name: string, saw?: ChatMessage[]) => Reader {
  // Hundreds of readers get the same frames: each is parsed and kept once.
  const messages = new Map<string, ChatMessage>()
  return (name, saw = []) => createReader({ name, saw, account, after, messages })
}

interface Start {
  name: string
  saw: ChatMessage[]
  account: Account
  after: string
  messages: Map<string, ChatMessage>
}

function createReader({ name, saw, account, after, messages }: Start): Reader {
  const seenIds = new Set(saw.map(({ id }) => id))
  let refusal: Error | undefined
  let socket: WebSocket | undefined
  let closing = Promise.withResolvers<Closed>()
  let awaited: { id: string; resolve: () => void; reject: (error: Error) => void } | undefined

  const onFrame = (text: string) => {
    const message = messages.get(text) ?? (JSON.parse(text) as ChatMessage)
    messages.set(text, message)
    if (message.event !== 'message') {
      // All that was sent is kept here, so no gap is due; and a reader sends nothing to be refused.
      refusal = new Error(`${name} got ${text}`)
      awaited?.reject(refusal)
      return
    }
    saw.push(message)
    seenIds.add(message.id)
    if (message.id === awaited?.id) awaited.resolve()
  }

  return {
    name,
    saw,
    async connect(server) {
      const opening = Promise.withResolvers<void>()
      const ending = Promise.withResolvers<Closed>()
      closing = ending
      const url = `${server.url.replace('http', 'ws')}/?after=${saw.at(-1)?.id ?? after}`
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
      if (how === 'vanish') connection.terminate()
      else if (how === 'close' || connection.readyState !== WebSocket.OPEN) connection.close()
      else connection.send(JSON.stringify({ event: 'disconnect' }))
    },
    closed: () => closing.promise,
    reach(id) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      awaited = { id, resolve, reject }
      if (refusal) reject(refusal)
      else if (seenIds.has(id)) resolve()
      return within(30_000, `${name} sees ${id}, after ${saw.length} messages`, promise)
    },
  }
}
