import type { Chat, ChatEvents, Client } from '../../../client/src/index.ts'

export const fast = { firstDelayMs: 20, maxDelayMs: 100, rooms: 'mine' } as const

export type Entry = ChatEvents['message' | 'joined' | 'left' | 'room-changed' | 'room-removed']

/** Everything that the chat receives, in order. */
export function entriesOf(chat: Chat): Entry[] {
  const entries: Entry[] = []
  for (const name of ['message', 'joined', 'left', 'room-changed', 'room-removed'] as const) {
    chat.on(name, (entry) => entries.push(entry))
  }
  return entries
}

/** The entries of one room in a short form. */
export function of(entries: readonly Entry[], id: string | undefined): string[] {
  return entries
    .filter(({ room }) => (typeof room === 'object' ? room.id : room) === id)
    .map((entry) => {
      if (entry.event === 'message') return entry.message
      if ('user' in entry) return `${entry.event} ${entry.user.username}`
      return entry.event
    })
}

export const namesOf = (chat: Chat) => [...chat.rooms.values()].map(({ name }) => name).toSorted()

export const createRoom = async (client: Client, name: string, members: string[] = []) =>
  (await client.createRoom({ name, members })).room.id

/** Disconnects the network of a chat, so that it resumes when the returned function is called. */
export function switchable() {
  let isOn = true
  const sockets = new Set<WebSocket>()
  class Socket extends WebSocket {
    constructor(url: string, protocols: string[]) {
      // No service listens on port 1.
      super(isOn ? url : 'ws://127.0.0.1:1/', protocols)
      sockets.add(this)
    }
  }
  return {
    WebSocket: Socket,
    off() {
      isOn = false
      for (const socket of sockets) socket.close(4000)
    },
    on() {
      isOn = true
    },
  }
}
