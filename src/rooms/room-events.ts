import { membersWithEvents } from '../contract/limits.ts'
import type { components } from '../contract/types.gen.ts'
import type { User } from '../users/users.ts'
import { type Departure, type NewMembership, type RoomRow, type RoomStore, toRoom } from './room-store.ts'
import type { Role } from './rooms.ts'

type Schemas = components['schemas']

/** The event of an entry, without the properties that the log adds: its id and its time. */
export type RoomEvent =
  | Omit<Schemas['JoinedFrame'], 'id' | 'sentAt'>
  | Omit<Schemas['LeftFrame'], 'id' | 'sentAt'>
  | Omit<Schemas['RoomChangedFrame'], 'id' | 'sentAt'>
  | Omit<Schemas['RoomRemovedFrame'], 'id' | 'sentAt'>

export interface NewEntry {
  readonly room: number
  /** The only user who receives the entry; undefined for all members. */
  readonly audience?: string | undefined
  readonly event: RoomEvent
  /** The user whom the event concerns. */
  readonly userId: string | null
  readonly joins?: string
  readonly leaves?: string
  readonly ends?: boolean
}

/** Appends the entries of one commit. */
export interface EntryWriter {
  /** The sequence of the next entry. */
  next(): number
  add(entry: NewEntry): void
}

interface Cause {
  readonly room: RoomRow
  readonly by: User | null
}

interface Joining {
  readonly user: User
  readonly role: Role
}

/** In a large room, only the user concerned receives the event; stored, so that a resume repeats it. */
const audienceOf = (user: User, members: number) => (members > membersWithEvents ? user.id : undefined)

/** The events of rooms: each changes the tables and appends its entry. */
export function createRoomEvents(store: RoomStore) {
  /** @param members the number of members, including the user */
  function announce(writer: EntryWriter, cause: Cause & Joining, members: number): void {
    const { room, user, role, by } = cause
    writer.add({
      room: room.number,
      audience: audienceOf(user, members),
      event: { event: 'joined', room: toRoom(room), user, role, by },
      userId: user.id,
      joins: user.id,
    })
  }

  function setRole(writer: EntryWriter, cause: Cause & Joining, members: number): void {
    store.setRole(cause.user.id, cause.room.number, cause.role)
    announce(writer, cause, members)
  }

  /** Gives a room without an owner to the member of longest standing, or ends a room without members. */
  function succeed(writer: EntryWriter, departure: Departure, endedAt: number): void {
    const { room, members, eldest: user, hasOtherOwner, pairExists } = departure
    if (!user) {
      // A direct room remains, so that both find it again, as long as both accounts exist.
      if (!pairExists) store.end(room.number, endedAt)
    } else if (room.directPair === null && !hasOtherOwner) {
      setRole(writer, { room, user, role: 'owner', by: null }, members - 1)
    }
  }

  return {
    /** @param members the number of members before */
    join(writer: EntryWriter, cause: Cause, joining: readonly Joining[], members: number): void {
      const added: NewMembership[] = []
      for (const { user, role } of joining) {
        added.push({ userId: user.id, fromSequence: writer.next(), role })
        announce(writer, { ...cause, user, role }, members + added.length)
      }
      store.addMembers(cause.room.number, added)
    },
    setRole,
    leave(writer: EntryWriter, departure: Departure, { user, by }: { user: User; by: User | null }): void {
      const { room, members } = departure
      const sequence = writer.next()
      store.endMember(user.id, room.number, sequence)
      writer.add({
        room: room.number,
        audience: audienceOf(user, members),
        event: { event: 'left', room: room.id, user, by },
        userId: user.id,
        leaves: user.id,
      })
      succeed(writer, departure, sequence)
    },
    change(writer: EntryWriter, { room, by }: Cause): void {
      const event = { event: 'room-changed', room: toRoom(room), by } as const
      writer.add({ room: room.number, event, userId: by?.id ?? null })
    },
    remove(writer: EntryWriter, { room, by }: Cause): void {
      const sequence = writer.next()
      store.endAllMembers(room.number, sequence)
      store.end(room.number, sequence)
      const event = { event: 'room-removed', room: room.id, by } as const
      writer.add({ room: room.number, event, userId: by?.id ?? null, ends: true })
    },
  }
}

export type RoomEvents = ReturnType<typeof createRoomEvents>
