import type { Room } from './chat-types.ts'
import type { Schemas } from './contract.gen.ts'

type RoomEvent =
  | Schemas['JoinedFrame']
  | Schemas['LeftFrame']
  | Schemas['RoomChangedFrame']
  | Schemas['RoomRemovedFrame']

/** The rooms of the user. They are requested once, and then follow the events. */
export interface RoomList {
  readonly map: ReadonlyMap<string, Room>
  apply(event: RoomEvent, userId: string | undefined): void
  /** Events may be missing, so the next `load` requests the rooms. */
  invalidate(): void
  /** Requests the rooms. Returns undefined if that is not necessary. */
  load(): Promise<void> | undefined
}

export function createRoomList(
  /** Reads the rooms; undefined for a chat without rooms. */
  read: (() => AsyncIterable<readonly Room[]>) | undefined,
  onChange: (rooms: ReadonlyMap<string, Room>) => void,
): RoomList {
  const map = new Map<string, Room>()
  let isValid = !read
  /** The changes since the request: the rooms in its response can be older. */
  let changes: (() => void)[] | undefined

  async function request(pages: AsyncIterable<readonly Room[]>): Promise<void> {
    const own: (() => void)[] = []
    changes = own
    isValid = true
    try {
      const rooms: Room[] = []
      for await (const page of pages) rooms.push(...page)
      // Otherwise, another connection has requested the rooms again.
      if (changes !== own) return
      map.clear()
      for (const room of rooms) map.set(room.id, room)
      for (const change of own) change()
      onChange(map)
    } catch (error) {
      isValid = false
      throw error
    } finally {
      if (changes === own) changes = undefined
    }
  }

  return {
    map,
    apply(event, userId) {
      const change = () => {
        const isOwn = !('user' in event) || event.user.id === userId
        if (event.event === 'left' || event.event === 'room-removed') {
          if (isOwn) map.delete(event.room)
        } else if (event.event === 'joined' ? isOwn : map.has(event.room.id)) {
          map.set(event.room.id, event.room)
        }
      }
      changes?.push(change)
      change()
      onChange(map)
    },
    invalidate() {
      isValid = !read
    },
    load: () => (isValid || !read ? undefined : request(read())),
  }
}
