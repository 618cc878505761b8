import { membersWithEvents } from '../contract/limits.ts'
import type { components } from '../contract/types.gen.ts'
import type { User } from '../users/users.ts'
import { type RoomRow, type RoomStatements, toRoom } from './room-statements.sqlite.ts'
import type { RoomWrites } from './room-writes.sqlite.ts'
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

interface MemberCause extends Cause {
  readonly user: User
}

interface RoomEventsOptions {
  readonly statements: RoomStatements
  readonly writes: RoomWrites
}

/** The events of rooms: each changes the tables and appends its entry. */
export function createRoomEvents({ statements, writes }: RoomEventsOptions) {
  /** In a large room, only the user concerned receives the event; stored, so that a resume repeats it. */
  function audienceOf({ room, user }: MemberCause): string | undefined {
    const { count = 0 } = statements.countMembers().get(room.number) ?? {}
    return count > membersWithEvents ? user.id : undefined
  }

  function announce(
    writer: EntryWriter,
    { room, user, by, role }: MemberCause & { readonly role: Role },
  ): void {
    writer.add({
      room: room.number,
      audience: audienceOf({ room, user, by }),
      event: { event: 'joined', room: toRoom(room), user, role, by },
      userId: user.id,
      joins: user.id,
    })
  }

  function join(writer: EntryWriter, cause: MemberCause & { readonly role: Role }): void {
    writes.addMember(cause.user.id, cause.room.number, writer.next(), cause.role)
    announce(writer, cause)
  }

  function setRole(writer: EntryWriter, cause: MemberCause & { readonly role: Role }): void {
    writes.setRole(cause.user.id, cause.room.number, cause.role)
    announce(writer, cause)
  }

  /** Gives a room without an owner to the member of longest standing, or ends a room without members. */
  function succeed(writer: EntryWriter, room: RoomRow, endedAt: number): void {
    const { userId } = statements.eldest().get(room.number) ?? {}
    if (userId === undefined) {
      // A direct room remains, so that both find it again, as long as both accounts exist.
      const users = room.directPair?.split(' ') ?? []
      const remains = users.length > 0 && users.every((id) => statements.userById().get(id))
      if (!remains) writes.end(room.number, endedAt)
    } else if (room.directPair === null && !statements.owner().get(room.number, '')) {
      const user = statements.anyUserById().get(userId)
      if (user) setRole(writer, { room, user, role: 'owner', by: null })
    }
  }

  return {
    join,
    setRole,
    leave(writer: EntryWriter, { room, user, by }: MemberCause): void {
      const sequence = writer.next()
      const audience = audienceOf({ room, user, by })
      writes.endMember(user.id, room.number, sequence)
      writer.add({
        room: room.number,
        audience,
        event: { event: 'left', room: room.id, user, by },
        userId: user.id,
        leaves: user.id,
      })
      succeed(writer, room, sequence)
    },
    change(writer: EntryWriter, { room, by }: Cause): void {
      const event = { event: 'room-changed', room: toRoom(room), by } as const
      writer.add({ room: room.number, event, userId: by?.id ?? null })
    },
    remove(writer: EntryWriter, { room, by }: Cause): void {
      const sequence = writer.next()
      writes.endAllMembers(room.number, sequence)
      writes.end(room.number, sequence)
      const event = { event: 'room-removed', room: room.id, by } as const
      writer.add({ room: room.number, event, userId: by?.id ?? null, ends: true })
    },
  }
}
