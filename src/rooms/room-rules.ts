import { membersPerRoom, roomsPerUser } from '../contract/limits.ts'
import { ProblemError } from '../contract/problems.ts'
import type { User } from '../users/users.ts'
import { type NewRoom, type RoomChange, type RoomChangeResult, RoomNotFound } from './room-changes.ts'
import { LastOwner, NotOwner, RoomKeyReused, RoomLimitExceeded } from './room-errors.ts'
import { createRoomEvents, type EntryWriter } from './room-events.ts'
import { ask, type Steps } from './room-steps.ts'
import {
  type InsertedRoom,
  type MembershipRow,
  pairOf,
  type RoomRow,
  type RoomStore,
  toRoom,
} from './room-store.ts'

type Change<Kind extends RoomChange['kind']> = Extract<RoomChange, { kind: Kind }>

/** Identifies a room to its users. Random, so that it reveals nothing. */
const createRoomId = () => Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url')

/** A room that may be seen, the membership of the user who makes the change, and the user whom it concerns. */
interface Target {
  readonly room: RoomRow
  readonly own: MembershipRow | undefined
}

/**
 * The rules by which rooms change, for every engine. They run within the transaction of a commit. Each change is
 * checked completely before it writes anything, so that a refused one leaves nothing behind.
 */
export function createRoomRules(store: RoomStore) {
  const events = createRoomEvents(store)

  /** @throws ProblemError invalid-token if the account has been removed since the request was authenticated */
  function* requireAccount(user: User): Steps<void> {
    if (!(yield* ask(store.userById(user.id)))) throw new ProblemError('invalid-token')
  }

  function* findUsers(usernames: readonly string[]): Steps<User[]> {
    const users = usernames.length > 0 ? yield* ask(store.usersByName(usernames)) : []
    return users.map((user) => {
      if (!user) throw new RoomNotFound()
      return user
    })
  }

  function* findUser(username: string): Steps<User> {
    const [user] = yield* findUsers([username])
    return user as User
  }

  function* requireFreeRooms(users: readonly User[]): Steps<void> {
    const counts = yield* ask(store.countRoomsOf(users.map(({ id }) => id)))
    if (counts.some((count) => count >= roomsPerUser)) throw new RoomLimitExceeded()
  }

  /** The room, if `by` may see it, and the membership of `by`. */
  function* findRoom(id: string, by: User | null): Steps<Target> {
    const room = yield* ask(store.room(id))
    if (!room) throw new RoomNotFound()
    const own = by ? yield* ask(store.membership(by.id, room.number)) : undefined
    if (by !== null && room.public === 0 && own === undefined) throw new RoomNotFound()
    return { room, own }
  }

  function requireOwner(by: User | null, own: MembershipRow | undefined): void {
    if (by !== null && own?.role !== 'owner') throw new NotOwner()
  }

  function insertRoom(
    writer: EntryWriter,
    { name, public: isPublic, history }: Omit<NewRoom, 'members'>,
    own: Pick<InsertedRoom, 'createdBy'> &
      Partial<Pick<InsertedRoom, 'directPair' | 'idempotencyKey' | 'request'>>,
  ): RoomRow {
    const [number, id] = [writer.next(), createRoomId()]
    const inserted = {
      number,
      id,
      name,
      history,
      directPair: null,
      idempotencyKey: null,
      request: null,
      ...own,
    }
    store.insertRoom({ ...inserted, public: isPublic })
    return {
      number,
      id,
      name,
      public: Number(isPublic),
      history,
      directPair: inserted.directPair,
      trimmedThrough: 0,
    }
  }

  function* createRoom(
    { by, room, idempotencyKey }: Change<'create-room'>,
    writer: EntryWriter,
  ): Steps<RoomChangeResult> {
    yield* requireAccount(by)
    const request = JSON.stringify([room.name, room.public, room.history, room.members])
    const earlier =
      idempotencyKey === undefined ? undefined : yield* ask(store.roomOfKey(by.id, idempotencyKey))
    if (earlier && earlier.request !== request) throw new RoomKeyReused()
    if (earlier) return { room: toRoom(earlier) }
    const named = new Map((yield* findUsers(room.members)).map((user) => [user.id, user]))
    named.delete(by.id)
    const members = [...named.values()]
    yield* requireFreeRooms([by, ...members])
    const created = insertRoom(writer, room, {
      createdBy: by.id,
      ...(idempotencyKey !== undefined && { idempotencyKey, request }),
    })
    const joining = [
      { user: by, role: 'owner' } as const,
      ...members.map((user) => ({ user, role: 'member' }) as const),
    ]
    events.join(writer, { room: created, by }, joining, 0)
    return { room: toRoom(created) }
  }

  function* openDirect(
    { by, username, mayCreate }: Change<'open-direct'>,
    writer: EntryWriter,
  ): Steps<RoomChangeResult> {
    yield* requireAccount(by)
    const other = yield* findUser(username)
    if (other.id === by.id) throw new RoomNotFound()
    const directPair = pairOf(by.id, other.id)
    const found = yield* ask(store.roomOfPair(directPair))
    if (found && (yield* ask(store.membership(by.id, found.number)))) return { room: toRoom(found) }
    if (!found && !mayCreate) return {}
    if (found) {
      yield* requireFreeRooms([by])
      const members = yield* ask(store.countMembers(found.number))
      events.join(writer, { room: found, by }, [{ user: by, role: 'member' }], members)
      return { room: toRoom(found) }
    }
    yield* requireFreeRooms([by, other])
    const name = `${by.username}, ${other.username}`
    const room = insertRoom(writer, { name, public: false, history: 'all' }, { directPair, createdBy: by.id })
    const joining = [by, other].map((user) => ({ user, role: 'member' }) as const)
    events.join(writer, { room, by }, joining, 0)
    return { room: toRoom(room) }
  }

  function* renameRoom(
    { by, room: id, name }: Change<'rename-room'>,
    writer: EntryWriter,
  ): Steps<RoomChangeResult> {
    yield* requireAccount(by)
    const { room, own } = yield* findRoom(id, by)
    requireOwner(by, own)
    if (room.name === name) return { room: toRoom(room) }
    const renamed = { ...room, name }
    store.rename(room.number, name)
    events.change(writer, { room: renamed, by })
    return { room: toRoom(renamed) }
  }

  function* removeRoom(
    { by, room: id }: Change<'remove-room'>,
    writer: EntryWriter,
  ): Steps<RoomChangeResult> {
    if (by) yield* requireAccount(by)
    const { room, own } = yield* findRoom(id, by)
    requireOwner(by, own)
    events.remove(writer, { room, by })
    return {}
  }

  function* addMember(
    { by, role = 'member' }: Change<'set-member'>,
    { room, own, user }: Target & { readonly user: User },
    writer: EntryWriter,
  ): Steps<RoomChangeResult> {
    const joinsPublic = by?.id === user.id && room.public === 1 && role === 'member'
    if (!joinsPublic) requireOwner(by, own)
    if (room.directPair !== null) throw new NotOwner()
    yield* requireFreeRooms([user])
    const members = yield* ask(store.countMembers(room.number))
    if (members >= membersPerRoom) throw new RoomLimitExceeded()
    events.join(writer, { room, by }, [{ user, role }], members)
    return { member: { user, role } }
  }

  function* setMember(change: Change<'set-member'>, writer: EntryWriter): Steps<RoomChangeResult> {
    const { by, room: id, username } = change
    if (by) yield* requireAccount(by)
    const { room, own } = yield* findRoom(id, by)
    // An owner who names an unknown user learns no more than a registration with this name reveals.
    const user = yield* findUser(username)
    const member = yield* ask(store.membership(user.id, room.number))
    if (!member) return yield* addMember(change, { room, own, user }, writer)
    const { role = member.role } = change
    if (role === member.role && user.id === by?.id) return { member: { user, role } }
    requireOwner(by, own)
    if (room.directPair !== null) throw new NotOwner()
    if (role === member.role) return { member: { user, role } }
    if (role === 'member' && !(yield* ask(store.owner(room.number, user.id)))) throw new LastOwner()
    const members = yield* ask(store.countMembers(room.number))
    events.setRole(writer, { room, user, role, by }, members)
    return { member: { user, role } }
  }

  function* removeMember(
    { by, room: id, username }: Change<'remove-member'>,
    writer: EntryWriter,
  ): Steps<RoomChangeResult> {
    yield* requireAccount(by)
    const { room, own } = yield* findRoom(id, by)
    const [user] = yield* ask(store.usersByName([username]))
    if (user?.id !== by.id) requireOwner(by, own)
    const [departure] = user ? yield* ask(store.departures(user.id, room.number)) : []
    if (!user || !departure) throw new RoomNotFound()
    events.leave(writer, departure, { user, by })
    return {}
  }

  function* endAccount({ userId }: Change<'end-account'>, writer: EntryWriter): Steps<RoomChangeResult> {
    const user = yield* ask(store.anyUserById(userId))
    const departures = user ? yield* ask(store.departures(userId)) : []
    for (const departure of departures) if (user) events.leave(writer, departure, { user, by: user })
    store.finishLeaving(userId)
    return {}
  }

  /**
   * Applies one change, and writes its entries.
   *
   * @throws ProblemError if the change is refused; then nothing was written
   */
  return function apply(change: RoomChange, writer: EntryWriter): Steps<RoomChangeResult> {
    switch (change.kind) {
      case 'create-room':
        return createRoom(change, writer)
      case 'open-direct':
        return openDirect(change, writer)
      case 'rename-room':
        return renameRoom(change, writer)
      case 'remove-room':
        return removeRoom(change, writer)
      case 'set-member':
        return setMember(change, writer)
      case 'remove-member':
        return removeMember(change, writer)
      case 'end-account':
        return endAccount(change, writer)
    }
  }
}
