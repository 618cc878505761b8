import type { Server, WebSocketHandler } from 'bun'
import { nowSeconds } from '../clock.ts'
import { maxFrameBytes } from '../contract/frames.ts'
import type { ToProblem } from '../http/error-handler.ts'
import type { Authenticator } from '../http/gate.ts'
import type { RateLimits } from '../limits/rate-limits.ts'
import type { ChatSocket, Connection } from './connection.ts'
import type { ConnectionLog } from './connection-log.ts'
import { startConnectionSweep } from './connection-sweep.ts'
import type { Connections } from './connections.ts'
import { createFrameReceiver } from './frame-receiver.ts'
import type { MessageLog } from './message-log.ts'
import { createReplayer } from './replayer.ts'

const topic = 'chat'

/** Bun pings an idle client in time, and closes the connection if it has not responded for this long. */
const idleTimeoutSeconds = 50

interface ChatServerOptions {
  readonly messageLog: MessageLog
  readonly authenticator: Pick<Authenticator, 'isCurrent'>
  readonly rateLimits: RateLimits
  readonly toProblem: ToProblem
  readonly connections: Connections
  readonly connectionLog: ConnectionLog
  /** Bytes that may wait for a client before its connection is closed. */
  readonly socketBufferBytes: number
}

export interface ChatServer {
  readonly handlers: WebSocketHandler<Connection>
  /** Starts to broadcast the log's messages to the sockets of `server`. */
  attach(server: Pick<Server<Connection>, 'publish'>): void
  /** Closes all connections, spread over `seconds`, so that the clients do not all reconnect at once. */
  drain(seconds: number): Promise<void>
  close(): void
}

/** The WebSocket side of the service: connects frames, connections, replays and broadcasts. */
export function createChatServer(options: ChatServerOptions): ChatServer {
  const { messageLog, connections, connectionLog, toProblem } = options

  function subscribe(socket: ChatSocket): void {
    socket.subscribe(topic)
    connectionLog.subscribed(socket)
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
  })
  const sweep = startConnectionSweep({
    ...options,
    onError: (error) => void toProblem(error, crypto.randomUUID()),
  })

  return {
    handlers: {
      maxPayloadLength: maxFrameBytes,
      backpressureLimit: options.socketBufferBytes,
      // Otherwise Bun silently drops frames, and the client has a gap that it cannot detect.
      closeOnBackpressureLimit: true,
      idleTimeout: idleTimeoutSeconds,
      sendPings: true,
      open(socket) {
        connections.add(socket)
        if (socket.data.replay) replayer.start(socket)
        else subscribe(socket)
      },
      message(socket, data) {
        if (socket.data.record) socket.data.record.framesReceived++
        if (socket.data.closing !== undefined) return
        const now = nowSeconds()
        if (typeof data !== 'string') connections.closeAfterPending(socket, 'binary-frame')
        else if (socket.data.identity.expiresAt <= now) connections.closeAfterPending(socket, 'token-expired')
        else receive(socket, data, now)
      },
      drain: (socket) => replayer.drained(socket),
      close(socket, code) {
        connectionLog.closed(socket, code)
        connections.remove(socket)
      },
    },
    attach(server) {
      messageLog.subscribe(({ frame }) => {
        server.publish(topic, frame)
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
    },
    close: () => sweep.stop(),
  }
}
