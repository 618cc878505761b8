import type { Chat, ChatMessage } from './chat-types.ts'

export interface MessagesOptions {
  readonly signal?: AbortSignal
  /** Messages that may wait for the loop. With more, the chat disconnects until half of them are read. */
  readonly highWater?: number
}

interface MessageReader {
  /** Disconnects, because the loop is slow. */
  pause(): void
  /** Connects again, if no other loop is slow. */
  resume(): void
}

/** The messages from now on, for `for await`. Nothing is lost while the loop is slow: the chat resumes. */
export async function* readMessages(
  chat: Pick<Chat, 'on' | 'state'>,
  { signal, highWater = 1000 }: MessagesOptions,
  reader: MessageReader,
): AsyncGenerator<ChatMessage, void> {
  const waiting: ChatMessage[] = []
  let wake = () => {}
  const offs = [
    chat.on('message', (message) => {
      if (waiting.push(message) >= highWater) reader.pause()
      wake()
    }),
    chat.on('state', () => wake()),
  ]
  const abort = () => wake()
  signal?.addEventListener('abort', abort)
  try {
    while (!signal?.aborted) {
      const message = waiting.shift()
      if (waiting.length <= highWater / 2) reader.resume()
      const { state } = chat
      if (message) yield message
      else if (state.name !== 'closed') {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      } else if (state.error) throw state.error
      else return
    }
  } finally {
    for (const off of offs) off()
    signal?.removeEventListener('abort', abort)
    reader.resume()
  }
}
