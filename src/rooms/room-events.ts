import { membersWithEvents } from '../contract/limits.ts'
import type { components } from '../contract/types.gen.ts'
import type { User } from '../users/users.ts'
import { ask, type Steps } from './room-steps.ts'
import { type RoomRow, type RoomStore, toRoom } from './room-store.ts'
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

/** The events of rooms: each changes the tables and appends its entry. */
export function createRoomEvents(store: RoomStore) {
  /** In a large room, only the user concerned receives the event; stored, so that a resume repeats it. */
  function* audienceOf({ room, user }: MemberCause): Steps<string | undefined> {
    return (yield* ask(store.countMembers(room.number))) > membersWithEvents ? user.id : undefined
  }

  function* announce(
    writer: EntryWriter,
    { room, user, by, role }: MemberCause & { readonly role: Role },
  ): Steps<void> {
    const audience = yield* audienceOf({ room, user, by })
    writer.add({
      room: room.number,
      audience,
      event: { event: 'joined', room: toRoom(room), user, role, by },
      userId: user.id,
      joins: user.id,
    })
  }

  function* join(writer: EntryWriter, cause: MemberCause & { readonly role: Role }): Steps<void> {
    store.addMember(cause.user.id, cause.room.number, writer.next(), cause.role)
    yield* announce(writer, cause)
  }

  function* setRole(writer: EntryWriter, cause: MemberCause & { readonly role: Role }): Steps<void> {
    store.setRole(cause.user.id, cause.room.number, cause.role)
    yield* announce(writer, cause)
  }

  /** Gives a room without an owner to the member of longest standing, or ends a room without members. */
  function* succeed(writer: EntryWriter, room: RoomRow, endedAt: number): Steps<void> {
    const eldest = yield* ask(store.eldest(room.number))
    if (eldest === undefined) {
      // A direct room remains, so that both find it again, as long as both accounts exist.
      let remains = room.directPair !== null
      for (const id of room.directPair?.split(' ') ?? [])
        remains &&= (yield* ask(store.userById(id))) !== undefined
      if (!remains) store.end(room.number, endedAt)
    } else if (room.directPair === null && !(yield* ask(store.owner(room.number, '')))) {
      const user = yield* ask(store.anyUserById(eldest.userId))
      if (user) yield* setRole(writer, { room, user, role: 'owner', by: null })
    }
  }

  return {
    join,
    setRole,
    *leave(writer: EntryWriter, { room, user, by }: MemberCause): Steps<void> {
      const sequence = writer.next()
      const audience = yield* audienceOf({ room, user, by })
      store.endMember(user.id, room.number, sequence)
      writer.add({
        room: room.number,
        audience,
        event: { event: 'left', room: room.id, user, by },
        userId: user.id,
        leaves: user.id,
      })
      yield* succeed(writer, room, sequence)
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
