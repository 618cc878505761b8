import { createChatServer } from '../../../src/chats/chat-server.ts'
import { type ChatSocket, createConnection } from '../../../src/chats/connection.ts'
import { createConnectionLog } from '../../../src/chats/connection-log.ts'
import { createConnections } from '../../../src/chats/connections.ts'
import type { MessageLog } from '../../../src/chats/message-log.ts'
import { createErrorHandler } from '../../../src/http/error-handler.ts'
import type { Identity } from '../../../src/http/gate.ts'
import { createMemoryRateLimits } from '../../../src/limits/rate-limits.memory.ts'
import { createMemoryUserSlots } from '../../../src/limits/user-slots.memory.ts'
import { createLogger } from '../../../src/logger.ts'
import type { User } from '../../../src/users/users.ts'
import { parseEntry } from './rooms.ts'

/** What a client has received since its first connection. */
export interface RoomClient {
  readonly user: User
  /** The frames of all connections, without `caught-up`. */
  readonly frames: string[]
  /** The cursor from which the client resumes. */
  cursor: string | undefined
  close: (() => void) | undefined
}

/** Bun's topics in memory: a publication reaches the subscribers at once. */
function createTopics() {
  const topics = new Map<string, Set<{ send(frame: string): void }>>()
  return {
    publish(topic: string, frame: string) {
      for (const socket of topics.get(topic) ?? []) socket.send(frame)
      return 0
    },
    subscribe(topic: string, socket: { send(frame: string): void }) {
      topics.set(topic, (topics.get(topic) ?? new Set()).add(socket))
    },
    unsubscribe: (topic: string, socket: { send(frame: string): void }) => topics.get(topic)?.delete(socket),
    leave(socket: { send(frame: string): void }) {
      for (const sockets of topics.values()) sockets.delete(socket)
    },
  }
}

/** The chat server of one node, with clients that connect without a network, so that schedules can be repeated. */
export function createRoomNode(log: MessageLog) {
  const topics = createTopics()
  const failures: unknown[] = []
  let stopped = false
  const logger = createLogger({ level: 'silent', write() {} })
  const handleError = createErrorHandler(logger)
  const chat = createChatServer({
    messageLog: log,
    authenticator: {
      validate: () => 'valid',
      identify: async () => undefined,
      accountsVersion: () => 0,
    },
    rateLimits: createMemoryRateLimits({ enabled: false, overrides: {} }),
    toProblem(error, requestId) {
      // The storage may be closed while a page of a client that has left is still being read.
      if (stopped) return handleError(error, requestId)
      failures.push(error)
      throw error
    },
    connections: createConnections({ maxSockets: 1000, userSlots: createMemoryUserSlots(1000) }),
    connectionLog: createConnectionLog(logger),
    socketBufferBytes: 1_000_000,
  })
  chat.attach({ publish: topics.publish, subscriberCount: () => 0 } as never)

  return {
    failures,
    /** Connects a client, which resumes if it was connected before. */
    connect(client: RoomClient): void {
      const identity = { user: client.user, expiresAt: Number.POSITIVE_INFINITY } as Identity
      const socket = {
        data: createConnection(identity, { cursor: client.cursor, receivesRooms: true }),
        readyState: WebSocket.OPEN as number,
        send(frame: string) {
          const { event, id, cursor } = parseEntry({ frame }) as {
            event: string
            id?: string
            cursor?: string
          }
          client.cursor = id ?? cursor
          if (event !== 'caught-up') client.frames.push(frame)
        },
        cork: (send: () => void) => send(),
        getBufferedAmount: () => 0,
        close() {},
        subscribe: (topic: string) => topics.subscribe(topic, socket),
        unsubscribe: (topic: string) => topics.unsubscribe(topic, socket),
      }
      // A new client has missed nothing before its connection.
      client.cursor ??= log.head()
      chat.handlers.open?.(socket as unknown as ChatSocket)
      client.close = () => {
        socket.readyState = WebSocket.CLOSED
        topics.leave(socket)
        chat.handlers.close?.(socket as unknown as ChatSocket, 1000, '')
        client.close = undefined
      }
    },
    stop() {
      stopped = true
      chat.close()
    },
  }
}

export type RoomNode = ReturnType<typeof createRoomNode>
