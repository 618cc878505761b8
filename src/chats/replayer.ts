import type { CaughtUpFrame, GapFrame } from '../contract/frames.ts'
import { type ChatSocket, type Replay, sendTo } from './connection.ts'
import { gone, type LogGap, type MessageLog, type Page } from './message-log.ts'

/** The number of messages that one client receives before the next client's turn. */
const pageSize = 100

const noRooms: readonly number[] = []

interface ReplayerOptions {
  readonly messageLog: MessageLog
  /** The replay pauses while more bytes than this wait for the client. */
  readonly pauseBytes: number
  /**
   * Called when the client has received every stored message. It must subscribe to live messages synchronously.
   *
   * @param rooms the numbers of the user's rooms at this place of the log
   */
  readonly onCaughtUp: (socket: ChatSocket, rooms: readonly number[]) => void
  readonly onFailed: (socket: ChatSocket, error: unknown) => void
  /** Called with the number of messages of each page that is sent. */
  readonly onPage?: ((messages: number) => void) | undefined
}

export interface Replayer {
  start(socket: ChatSocket): void
  /** Continues a replay that paused, once the client has read what it was sent. */
  drained(socket: ChatSocket): void
}

/**
 * Sends clients the messages that they missed, one page at a time and in turns, so that neither a long
 * replay nor a thousand of them delay live messages. A page that comes from another process takes a round trip, in
 * which the next clients have their turns, up to the number of reads that the log runs at the same time.
 */
export function createReplayer(options: ReplayerOptions): Replayer {
  const { messageLog, pauseBytes, onCaughtUp, onFailed, onPage } = options
  /** The clients that wait for their turn. A client whose page is being read is not among them. */
  const queue: ChatSocket[] = []
  let reading = 0
  let scheduled = false

  function enqueue(socket: ChatSocket): void {
    queue.push(socket)
    schedule()
  }

  /** Gives the next client its turn, in a turn of the event loop of its own. */
  function schedule(): void {
    if (scheduled || queue.length === 0 || reading >= messageLog.maxParallelReads) return
    scheduled = true
    setImmediate(run)
  }

  async function run(): Promise<void> {
    scheduled = false
    const socket = queue.shift()
    if (!socket) return
    reading++
    schedule()
    try {
      await sendPage(socket)
    } catch (error) {
      onFailed(socket, error)
    } finally {
      reading--
      schedule()
    }
  }

  /** Reads the next page. If messages were removed in between, reports the gap and starts with the oldest. */
  async function readPage(socket: ChatSocket, replay: Replay): Promise<Page> {
    const { view } = replay
    const page = await messageLog.readAfter(replay.cursor, pageSize, view)
    if (page !== gone) return page
    replay.cursor = undefined
    const first = await messageLog.readAfter(undefined, pageSize, view)
    if (first === gone) throw new Error('The log cannot be read from its start')
    if (view) return first
    const cursor = first.start ?? messageLog.head()
    const gap: GapFrame = { event: 'gap', oldest: first.messages[0]?.id ?? null, cursor }
    sendTo(socket, JSON.stringify(gap))
    return first
  }

  /** Reports what was removed from the rooms, or from the messages to all users, before the page. */
  function sendGaps(socket: ChatSocket, gaps: readonly LogGap[], cursor: string): void {
    for (const { room, oldest } of gaps) {
      const frame: GapFrame = { event: 'gap', oldest, cursor, ...(room !== undefined && { room }) }
      sendTo(socket, JSON.stringify(frame))
    }
  }

  async function sendPage(socket: ChatSocket): Promise<void> {
    const { replay } = socket.data
    if (!replay || socket.readyState !== WebSocket.OPEN) return
    const head = messageLog.head()
    const page = await readPage(socket, replay)
    // The client may have disconnected during the read. It must not be subscribed any more.
    if (socket.readyState !== WebSocket.OPEN) return
    const { messages, gaps, start = head, end = head } = page
    let sent = 0
    socket.cork(() => {
      if (gaps) sendGaps(socket, gaps, start)
      for (const { id, frame } of messages) {
        sendTo(socket, frame)
        sent++
        replay.cursor = id
        if (socket.getBufferedAmount() > pauseBytes) return
      }
      replay.cursor = end
    })
    onPage?.(sent)
    // The log returns only messages that were broadcast, so a client at its head has missed nothing.
    const rooms = replay.view ? page.rooms : noRooms
    if (replay.cursor === messageLog.head() && rooms) {
      socket.data.replay = undefined
      const caughtUp: CaughtUpFrame = { event: 'caught-up', cursor: replay.cursor }
      if (replay.announcesEnd) sendTo(socket, JSON.stringify(caughtUp))
      onCaughtUp(socket, rooms)
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
