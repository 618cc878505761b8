import { closeCodes } from '../contract/frames.ts'
import type { User } from '../contract/handlers.ts'
import { unavailable } from '../contract/problems.ts'
import type { CloseCodeName } from '../contract/types.gen.ts'
import type { UserSlots } from '../limits/user-slots.ts'
import { chain, type MaybePromise } from '../maybe-promise.ts'
import { type ChatSocket, framesOf, hasPending } from './connection.ts'

interface ConnectionsOptions {
  readonly maxSockets: number
  readonly userSlots: UserSlots
}

/** The open connections, the limits on their number, and their orderly closing. */
export interface Connections {
  readonly size: number
  /** The bytes that wait for clients. */
  backlogBytes(): number
  /** The open connections, in the order in which they were opened. */
  values(): SetIterator<ChatSocket>
  /**
   * Acquires a slot for a connection. `remove` releases it when the connection closes.
   *
   * @throws ProblemError sockets-exhausted or too-many-sockets
   */
  acquireSlot(user: User): MaybePromise<void>
  /** Releases the slot of a handshake that failed. */
  releaseSlot(user: User): void
  add(socket: ChatSocket): void
  remove(socket: ChatSocket): void
  /** Marks one more received frame as pending. */
  startPending(socket: ChatSocket): void
  /** Marks one pending frame as decided. */
  endPending(socket: ChatSocket): void
  /** Closes the connection after its pending frames, so that the sender learns their outcome. */
  closeAfterPending(socket: ChatSocket, name: CloseCodeName): void
}

export function createConnections({ maxSockets, userSlots }: ConnectionsOptions): Connections {
  const sockets = new Set<ChatSocket>()
  let slots = 0

  function releaseSlot({ id }: User): void {
    slots--
    userSlots.release(id)
  }

  /** Takes the slot of the server first, so that handshakes that wait cannot exceed the limit together. */
  function acquireSlot({ id }: User): MaybePromise<void> {
    if (slots >= maxSockets) throw unavailable('sockets-exhausted')
    slots++
    return chain(userSlots.acquire(id), (acquired) => {
      if (acquired) return
      slots--
      throw unavailable('too-many-sockets')
    })
  }

  function closeIfNothingPending(socket: ChatSocket): void {
    const { closing } = socket.data
    if (closing === undefined || hasPending(socket.data)) return
    const { code, reason } = closeCodes[closing]
    socket.close(code, reason)
  }

  return {
    get size() {
      return sockets.size
    },
    backlogBytes() {
      let bytes = 0
      for (const socket of sockets) bytes += socket.getBufferedAmount()
      return bytes
    },
    values: () => sockets.values(),
    acquireSlot,
    releaseSlot,
    add: (socket) => void sockets.add(socket),
    remove(socket) {
      socket.data.closing ??= 'disconnected'
      socket.data.replay = undefined
      sockets.delete(socket)
      releaseSlot(socket.data.identity.user)
    },
    startPending: (socket) => void framesOf(socket.data).pending++,
    endPending(socket) {
      framesOf(socket.data).pending--
      closeIfNothingPending(socket)
    },
    closeAfterPending(socket, name) {
      socket.data.closing ??= name
      closeIfNothingPending(socket)
    },
  }
}
