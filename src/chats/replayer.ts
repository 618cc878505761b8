import type { GapFrame } from '../contract/frames.ts'
import type { MessageLog } from './message-log.ts'
import type { ChatSocket } from './session.ts'

/** Messages that one client gets before it is the next one's turn. */
const pageSize = 100

interface ReplayerOptions {
  readonly log: MessageLog
  /** Bytes that may wait for a client before the replay pauses. */
  readonly pauseBytes: number
  /** The client has all that is stored: from this very moment on it gets the live messages. */
  readonly onCaughtUp: (socket: ChatSocket) => void
  readonly onFailed: (socket: ChatSocket, error: unknown) => void
}

export interface Replayer {
  start(socket: ChatSocket): void
  /** The client has read what waited for it. */
  drained(socket: ChatSocket): void
}

/**
 * Sends what clients missed, a page at a time and in turns, so that neither a long replay nor a
 * thousand of them hold up the live messages.
 */
export function createReplayer({ log, pauseBytes, onCaughtUp, onFailed }: ReplayerOptions): Replayer {
  const queue: ChatSocket[] = []
  let running = false

  function enqueue(socket: ChatSocket): void {
    queue.push(socket)
    if (running) return
    running = true
    setImmediate(run)
  }

  async function run(): Promise<void> {
    const socket = queue.shift()
    if (socket) {
      try {
        await sendPage(socket)
      } catch (error) {
        onFailed(socket, error)
      }
    }
    running = queue.length > 0
    if (running) setImmediate(run)
  }

  async function sendPage(socket: ChatSocket): Promise<void> {
    const { replay } = socket.data
    if (!replay || socket.readyState !== WebSocket.OPEN) return
    const head = log.head()
    let page = await log.readAfter(replay.cursor, pageSize)
    if (page === 'gone') {
      replay.cursor = undefined
      page = await log.readAfter(undefined, pageSize)
      if (page === 'gone') throw new Error('The log has no beginning')
      const gap: GapFrame = { event: 'gap', oldest: page.messages[0]?.id ?? null }
      socket.send(JSON.stringify(gap))
    }
    const { messages } = page
    socket.cork(() => {
      for (const { id, frame } of messages) {
        socket.send(frame)
        replay.cursor = id
        if (socket.getBufferedAmount() > pauseBytes) break
      }
    })
    if (messages.length === 0) replay.cursor ??= head
    // The log reads nothing that was not broadcast, so who stands at its head has missed nothing.
    if (replay.cursor === log.head()) {
      socket.data.replay = undefined
      onCaughtUp(socket)
    } else if (socket.getBufferedAmount() > 0) {
      replay.waiting = true
    } else {
      enqueue(socket)
    }
  }

  return {
    start: enqueue,
    drained(socket) {
      const { replay } = socket.data
      if (!replay?.waiting) return
      replay.waiting = false
      enqueue(socket)
    },
  }
}
