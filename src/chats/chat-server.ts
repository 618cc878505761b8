import type { Server, ServerWebSocket, WebSocketHandler } from 'bun'
import { epochSeconds, monotonicSeconds } from '../clock.ts'
import { closeCodes, maxFrameBytes } from '../contract/frames.ts'
import type { ToProblem } from '../http/error-handler.ts'
import type { Authenticator } from '../http/gate.ts'
import type { RateLimits } from '../limits/rate-limits.ts'
import type { SocketMetrics } from '../metrics/metrics.ts'
import { createBacklogScan } from './backlog-scan.ts'
import { asChatSocket, type ChatSocket, createReplay, hasPending, type SocketData } from './connection.ts'
import type { ConnectionLog } from './connection-log.ts'
import { startConnectionSweep } from './connection-sweep.ts'
import type { Connections } from './connections.ts'
import { createFrameReceiver } from './frame-receiver.ts'
import type { MessageLog } from './message-log.ts'
import { createReplayer } from './replayer.ts'
import { createRoomBroadcast, type Publish } from './room-broadcast.ts'

const topic = 'chat'

/** How long a drain waits for received frames. */
const maxPendingMs = 10_000

interface ChatServerOptions {
  readonly messageLog: MessageLog
  readonly authenticator: Pick<Authenticator, 'validate' | 'identify' | 'accountsVersion'>
  readonly rateLimits: RateLimits
  readonly toProblem: ToProblem
  readonly connections: Connections
  readonly connectionLog: ConnectionLog
  /** Bytes that may wait for a client before its connection is closed. */
  readonly socketBufferBytes: number
  readonly metrics?: SocketMetrics | undefined
}

/** The part of Bun's server that broadcasts. */
export type Broadcaster = Pick<Server<SocketData>, 'publish' | 'subscriberCount'>

export interface ChatServer {
  readonly handlers: WebSocketHandler<SocketData>
  /** Starts to broadcast the log's messages to the sockets of `server`. */
  attach(server: Broadcaster): void
  /** Closes all connections, spread over `seconds`, so that the clients do not all reconnect at once. */
  drain(seconds: number): Promise<void>
  close(): void
}

/** Handles control frames, which Bun answers itself. */
function hearControlFrame(socket: ServerWebSocket<SocketData>): void {
  const accepted = asChatSocket(socket)
  if (accepted) accepted.data.heardAt = monotonicSeconds()
}

/** The WebSocket side of the service: connects frames, connections, replays and broadcasts. */
export function createChatServer(options: ChatServerOptions): ChatServer {
  const { messageLog, connections, connectionLog, toProblem, metrics } = options

  const rooms = createRoomBroadcast()
  /** The number of connections that receive live messages. Asking Bun for each message takes longer than counting. */
  let live = 0

  function subscribe(socket: ChatSocket, numbers: readonly number[]): void {
    socket.subscribe(topic)
    live++
    connectionLog.subscribed(socket)
    if (socket.data.receivesRooms) rooms.add(socket, numbers)
  }

  const receive = createFrameReceiver(options)
  const replayer = createReplayer({
    messageLog,
    pauseBytes: options.socketBufferBytes / 4,
    onCaughtUp: subscribe,
    onFailed(socket, error) {
      toProblem(error, crypto.randomUUID())
      connections.closeAfterPending(socket, 'internal-error')
    },
    onPage: metrics?.replayed,
  })
  const sweep = startConnectionSweep({
    ...options,
    onError: (error) => void toProblem(error, crypto.randomUUID()),
  })

  const scanBacklog = createBacklogScan(connections)

  function publish(server: Broadcaster, to: string, frame: string): void {
    // Negative if bytes wait for any client; Bun does not say for which.
    if (server.publish(to, frame) < 0) scanBacklog()
  }

  function open(socket: ChatSocket): void {
    const { data } = socket
    connections.add(socket)
    metrics?.opened()
    // The memberships are those at a place of the log, so such a connection always starts with a replay.
    if (data.receivesRooms) {
      const fromHead = { cursor: messageLog.head(), receivesRooms: true, announcesEnd: false }
      data.replay ??= createReplay(data.identity, fromHead)
    }
    if (data.replay) replayer.start(socket)
    else subscribe(socket, [])
  }

  function receiveData(socket: ChatSocket, data: string | Uint8Array): void {
    const connection = socket.data
    if (connection.record) connection.record.framesReceived++
    if (connection.closing !== undefined) return
    const now = monotonicSeconds()
    connection.heardAt = now
    if (typeof data !== 'string') connections.closeAfterPending(socket, 'binary-frame')
    else if (connection.identity.expiresAt <= epochSeconds()) {
      connections.closeAfterPending(socket, 'token-expired')
    } else receive(socket, data, now)
  }

  return {
    handlers: {
      maxPayloadLength: maxFrameBytes,
      backpressureLimit: options.socketBufferBytes,
      // Otherwise Bun silently drops frames, and the client has a gap that it cannot detect.
      closeOnBackpressureLimit: true,
      // The connection sweep checks that clients respond.
      idleTimeout: 0,
      sendPings: false,
      open(socket) {
        const { data } = socket
        if ('refusal' in data) socket.close(data.refusal.code, data.refusal.reason)
        else open(socket as ChatSocket)
      },
      message(socket, data) {
        const accepted = asChatSocket(socket)
        if (accepted) receiveData(accepted, data)
      },
      ping: hearControlFrame,
      pong: hearControlFrame,
      drain(socket) {
        const accepted = asChatSocket(socket)
        if (!accepted) return
        accepted.data.isBehind = false
        replayer.drained(accepted)
      },
      close(socket, code) {
        const accepted = asChatSocket(socket)
        if (!accepted) return
        const { data } = accepted
        // Bun closes the connection of a client that reads too slowly, and does not say why.
        if (code === closeCodes['slow-reader'].code && data.isBehind) data.closing ??= 'slow-reader'
        // Without a replay, the connection has received live messages.
        if (!data.replay) live--
        connectionLog.closed(accepted, code)
        metrics?.closed(code, data.closing)
        connections.remove(accepted)
        if (data.receivesRooms) rooms.remove(accepted)
      },
    },
    attach(server) {
      const publishToRoom: Publish = (to, frame) => {
        metrics?.delivered(server.subscriberCount(to))
        publish(server, to, frame)
      }
      messageLog.subscribe(({ frame, delivery }) => {
        if (delivery) {
          rooms.deliver(publishToRoom, frame, delivery)
          return
        }
        metrics?.delivered(live)
        publish(server, topic, frame)
        connectionLog.broadcast()
      })
    },
    async drain(seconds) {
      const all = [...connections.values()]
      const start = performance.now()
      for (const [index, socket] of all.entries()) {
        const due = start + (seconds * 1000 * index) / all.length
        const wait = due - performance.now()
        if (wait > 1) await Bun.sleep(wait)
        connections.closeAfterPending(socket, 'restart')
      }
      // Frames that are still being checked are not in the message log yet, so its flush does not wait for them.
      const deadline = performance.now() + maxPendingMs
      while (all.some(({ data }) => hasPending(data)) && performance.now() < deadline) await Bun.sleep(10)
    },
    close: () => sweep.stop(),
  }
}
