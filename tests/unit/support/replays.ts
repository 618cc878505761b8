import { type ChatSocket, createConnection } from '../../../src/chats/connection.ts'
import { gone, type MessageLog } from '../../../src/chats/message-log.ts'
import { createReplayer } from '../../../src/chats/replayer.ts'
import type { Identity } from '../../../src/http/gate.ts'

interface TestFrame {
  readonly event: string
  readonly [name: string]: unknown
}

export const idOf = (sequence: number) => String(sequence).padStart(5, '0')

/** A log of `length` messages in memory. Messages up to `trimmed` have been removed. */
export function createLog(length: number, trimmed = 0) {
  const log = {
    length,
    trimmed,
    reads: 0,
    maxParallelReads: 1,
    head: () => idOf(log.length),
    async readAfter(cursor: string | undefined, limit: number) {
      log.reads++
      const after = cursor === undefined ? log.trimmed : Number(cursor)
      if (after < log.trimmed || after > log.length) return gone
      const sequences = Array.from({ length: log.length - after }, (_, i) => after + i + 1)
      const toMessage = (sequence: number) => {
        const id = idOf(sequence)
        return { id, frame: JSON.stringify({ event: 'message', id }) }
      }
      const more = sequences.length > limit
      const messages = sequences.slice(0, limit).map(toMessage)
      return { start: idOf(after), messages, end: more ? messages.at(-1)?.id : idOf(log.length), more }
    },
  }
  return log
}

interface SocketOptions {
  readonly cursor: string
  /** The bytes that wait for the client after it was sent a number of frames. */
  readonly buffered?: (sent: number) => number
}

export function createSocket({ cursor, buffered = () => 0 }: SocketOptions) {
  const frames: TestFrame[] = []
  const socket = {
    data: createConnection({} as Identity, { cursor }),
    readyState: WebSocket.OPEN as number,
    send: (text: string) => void frames.push(JSON.parse(text)),
    cork: (send: () => void) => send(),
    getBufferedAmount: () => buffered(frames.length),
  }
  return { socket: socket as unknown as ChatSocket, frames, raw: socket }
}

export const idsOf = (frames: readonly TestFrame[]) =>
  frames.filter(({ event }) => event === 'message').map(({ id }) => id)
export const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => idOf(from + i))

export function openReplayer(log: ReturnType<typeof createLog>, pauseBytes = 1000) {
  const caughtUp: ChatSocket[] = []
  const failed: ChatSocket[] = []
  const replayer = createReplayer({
    messageLog: log as unknown as MessageLog,
    pauseBytes,
    onCaughtUp: (socket) => void caughtUp.push(socket),
    onFailed: (socket) => void failed.push(socket),
  })
  return { ...replayer, caughtUp, failed }
}

/** Lets the event loop turn often enough for every replay that can continue. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 60; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
}
