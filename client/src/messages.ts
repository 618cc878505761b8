import type { Chat, ChatMessage } from './chat-types.ts'

export interface MessagesOptions {
  readonly signal?: AbortSignal
  /** Messages that may wait for the loop. With more, the chat disconnects until half of them are read. */
  readonly highWater?: number
}

/** The messages from now on, for `for await`. Nothing is lost while the loop is slow: the chat resumes. */
export async function* readMessages(
  chat: Pick<Chat, 'on' | 'state'>,
  { signal, highWater = 1000 }: MessagesOptions,
  /** Disconnects the chat, because this reader is slow. */
  pause: (reader: object) => void,
  /** Connects it again, unless another reader is slow. */
  resume: (reader: object) => void,
): AsyncGenerator<ChatMessage, void> {
  const waiting: ChatMessage[] = []
  let wake = () => {}
  const offs = [
    chat.on('message', (message) => {
      if (waiting.push(message) >= highWater) pause(waiting)
      wake()
    }),
    chat.on('state', () => wake()),
  ]
  const abort = () => wake()
  signal?.addEventListener('abort', abort)
  try {
    while (!signal?.aborted) {
      const message = waiting.shift()
      if (waiting.length <= highWater / 2) resume(waiting)
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
    resume(waiting)
  }
}
