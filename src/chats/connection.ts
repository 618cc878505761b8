import type { ServerWebSocket } from 'bun'
import { monotonicSeconds } from '../clock.ts'
import type { CloseCodeName } from '../contract/types.gen.ts'
import type { Identity } from '../http/gate.ts'
import type { LogView } from './message-log.ts'

/**
 * The state of one WebSocket connection. Kept small, because there are thousands: with more than eight properties, it
 * takes 112 bytes instead of 80.
 */
export interface Connection {
  /** Replaced by an `authenticate` frame. */
  identity: Identity
  /** Set once the service ends the connection; frames that arrive later are ignored. */
  closing: CloseCodeName | undefined
  /** Whether the client also receives the rooms of its user. */
  readonly receivesRooms: boolean
  /** The progress of a client that resumes; undefined once it receives live messages. */
  replay: Replay | undefined
  /** When the client was last heard: monotonic seconds. */
  heardAt: number
  /** Whether the client had not read what it was sent when this was last examined. */
  isBehind: boolean
  /** Undefined until the client sends a frame: most clients only listen. See `framesOf`. */
  frames: ReceivedFrames | undefined
  /** What the log line of the closed connection will contain; undefined if the level excludes the line. */
  readonly record: ConnectionRecord | undefined
}

/** The state of the frames that a client has sent. */
export interface ReceivedFrames {
  /** Those whose outcome is not decided yet. */
  pending: number
  /** Consecutive ones that the rate limit refused. */
  refusals: number
  /** Set by the frame that ends the connection; those that were received after it are ignored. */
  ended: boolean
  /** Undefined if none is being checked. */
  waiting: WaitingFrames | undefined
}

/** The frames of a connection that are being checked asynchronously, or wait for that. */
export interface WaitingFrames {
  /** Resolves when the last of them has been handled; a later frame waits for it, to keep their order. */
  last: Promise<void>
  /** Their total cost, in characters. */
  cost: number
}

export interface ConnectionRecord {
  /** The request id of the handshake. */
  readonly requestId: string
  readonly client: string | undefined
  /** Milliseconds of the monotonic clock. */
  readonly openedAt: number
  framesReceived: number
  /** Frames for this connection alone: error frames, gap frames and replayed messages. */
  framesSent: number
  /** The number of broadcasts before the connection subscribed to them; undefined until then. */
  broadcastsBefore: number | undefined
}

export interface Replay {
  /** The id of the last message sent; undefined to start with the oldest stored message. */
  cursor: string | undefined
  /** Whether the replay has paused until the client reads what it was sent. */
  waiting: boolean
  /** What the client receives; undefined for the messages to all users. */
  readonly view: LogView | undefined
  /** Whether the client learns when it has received everything. */
  readonly announcesEnd: boolean
}

/** A handshake that was refused with a close frame, for clients that cannot read the response. */
export interface RefusedConnection {
  readonly refusal: { readonly code: number; readonly reason: string }
}

export type SocketData = Connection | RefusedConnection
export type ChatSocket = ServerWebSocket<Connection>

/** The socket of an accepted connection, or undefined if the handshake was refused. */
export const asChatSocket = (socket: ServerWebSocket<SocketData>): ChatSocket | undefined =>
  'refusal' in socket.data ? undefined : (socket as ChatSocket)

interface ConnectionOptions {
  /** The cursor from which the client resumes. */
  readonly cursor?: string | undefined
  readonly receivesRooms?: boolean
  readonly record?: ConnectionRecord | undefined
}

export const createReplay = (
  { user }: Identity,
  {
    cursor,
    receivesRooms,
    announcesEnd = true,
  }: { cursor: string; receivesRooms: boolean; announcesEnd?: boolean },
): Replay => ({
  cursor,
  waiting: false,
  view: receivesRooms ? { userId: user.id } : undefined,
  announcesEnd,
})

export const createConnection = (
  identity: Identity,
  { cursor, receivesRooms = false, record }: ConnectionOptions,
): Connection => ({
  identity,
  closing: undefined,
  receivesRooms,
  replay: cursor === undefined ? undefined : createReplay(identity, { cursor, receivesRooms }),
  heardAt: monotonicSeconds(),
  isBehind: false,
  frames: undefined,
  record,
})

/** Whether the client waits for the outcome of a frame. */
export const hasPending = ({ frames }: Connection): boolean => frames !== undefined && frames.pending > 0

export function framesOf(connection: Connection): ReceivedFrames {
  connection.frames ??= { pending: 0, refusals: 0, ended: false, waiting: undefined }
  return connection.frames
}

/** Sends a frame to this connection alone. */
export function sendTo(socket: ChatSocket, frame: string): void {
  if (socket.data.record) socket.data.record.framesSent++
  // Bun returns 0 for a frame that it has dropped. It then closes the connection.
  if (socket.send(frame) === 0) socket.data.isBehind = true
}
