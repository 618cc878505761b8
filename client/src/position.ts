import type { ChatMessage, ChatOptions } from './chat-types.ts'
import type { Call } from './http.ts'

/** How far the chat has received the log. */
export interface Position {
  /** Undefined until `find` has succeeded. */
  readonly cursor: string | undefined
  /** Whether all stored messages are requested. The server then reports a gap that is none. */
  readonly isBeginning: boolean
  /**
   * Finds the end of the log if there is no cursor. What is stored after that is replayed, so that no message
   * is missed between this request and the connection. Returns the last messages, if they are requested. Does
   * nothing if the attempt to connect is not the current one any more.
   */
  find(call: Call, isCurrent: () => boolean): Promise<readonly ChatMessage[]>
  moveTo(cursor: string | undefined): void
  /** Moves to the message or event. Returns whether it is new: a gap can repeat them. */
  accept(entry: { readonly id: string }): boolean
}

/** An id of no log: the server responds with `gap`, and then with all stored messages. */
const beginning = '0'
const maxPage = 200
const maxRemembered = 1000

export function createPosition(from: NonNullable<ChatOptions['from']>): Position {
  const last = typeof from === 'object' && 'last' in from ? Math.min(from.last, maxPage) : 0
  const seen = new Set<string>()
  let cursor = from === 'beginning' ? beginning : (from as { after?: string }).after

  return {
    get cursor() {
      return cursor
    },
    get isBeginning() {
      return cursor === beginning
    },
    async find(call, isCurrent) {
      if (cursor !== undefined) return []
      const page = await call('listMessages', { limit: Math.max(last, 1) }, { retries: 0 })
      if (!isCurrent()) return []
      cursor = page.head
      return last > 0 ? page.messages : []
    },
    moveTo(next) {
      cursor = next
    },
    accept({ id }) {
      cursor = id
      if (seen.has(id)) return false
      seen.add(id)
      if (seen.size > maxRemembered) seen.delete(seen.values().next().value as string)
      return true
    },
  }
}
