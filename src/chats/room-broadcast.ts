import { type ChatSocket, sendTo } from './connection.ts'
import type { RoomDelivery } from './message-log.ts'

const topicOf = (room: number) => `r${room}`

/** Sends a frame to all connections that are subscribed to a topic. */
export type Publish = (topic: string, frame: string) => void

/** The connections that receive rooms, and the delivery of the entries of rooms to them. */
export interface RoomBroadcast {
  /** Starts to deliver to a connection. @param rooms the numbers of the user's rooms at this place of the log */
  add(socket: ChatSocket, rooms: readonly number[]): void
  remove(socket: ChatSocket): void
  /** Delivers the next entry of the log. */
  deliver(publish: Publish, frame: string, delivery: RoomDelivery): void
}

/**
 * Each room is a topic of Bun's. Subscriptions change with the entries of the log, so that on every node each
 * connection receives a room from the `joined` of its user through the `left`, however late the node is.
 */
export function createRoomBroadcast(): RoomBroadcast {
  const socketsOfUser = new Map<string, Set<ChatSocket>>()
  const socketsOf = (userId: string | undefined): Iterable<ChatSocket> =>
    (userId === undefined ? undefined : socketsOfUser.get(userId)) ?? []

  return {
    add(socket, rooms) {
      const { id } = socket.data.identity.user
      const sockets = socketsOfUser.get(id)
      if (sockets) sockets.add(socket)
      else socketsOfUser.set(id, new Set([socket]))
      for (const room of rooms) socket.subscribe(topicOf(room))
    },
    remove(socket) {
      const { id } = socket.data.identity.user
      const sockets = socketsOfUser.get(id)
      sockets?.delete(socket)
      if (sockets?.size === 0) socketsOfUser.delete(id)
    },
    deliver(publish, frame, { room, audience, joins, leaves, ends }) {
      const topic = topicOf(room)
      for (const socket of socketsOf(joins)) socket.subscribe(topic)
      if (audience === undefined) publish(topic, frame)
      else for (const socket of socketsOf(audience)) sendTo(socket, frame)
      for (const socket of socketsOf(leaves)) socket.unsubscribe(topic)
      if (!ends) return
      for (const sockets of socketsOfUser.values()) {
        for (const socket of sockets) socket.unsubscribe(topic)
      }
    },
  }
}
