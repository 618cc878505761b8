import { createMemberRules } from './member-rules.ts'
import { createRoomAccess, type RoomAccess } from './room-access.ts'
import {
  type Change,
  type NewRoom,
  type RoomChange,
  type RoomChangeResult,
  RoomNotFound,
} from './room-changes.ts'
import { RoomKeyReused } from './room-errors.ts'
import { createRoomEvents, type EntryWriter, type RoomEvents } from './room-events.ts'
import { createRoomId } from './room-id.ts'
import { ask, type Steps } from './room-steps.ts'
import { type InsertedRoom, pairOf, type RoomRow, type RoomStore, toRoom } from './room-store.ts'

/** The rules by which rooms are created, renamed and removed. */
function createRoomLifecycle(store: RoomStore, access: RoomAccess, events: RoomEvents) {
  const { requireAccount, findUsers, findUser, requireFreeRooms, findRoom, requireOwner } = access

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

  return { createRoom, openDirect, renameRoom, removeRoom }
}

/**
 * The rules by which rooms change, for every engine. They run within the transaction of a commit. Each change is
 * checked completely before it writes anything, so that a refused one leaves nothing behind.
 */
export function createRoomRules(store: RoomStore) {
  const access = createRoomAccess(store)
  const events = createRoomEvents(store)
  const rooms = createRoomLifecycle(store, access, events)
  const members = createMemberRules(store, access, events)

  /**
   * Applies one change, and writes its entries.
   *
   * @throws ProblemError if the change is refused; then nothing was written
   */
  return function apply(change: RoomChange, writer: EntryWriter): Steps<RoomChangeResult> {
    switch (change.kind) {
      case 'create-room':
        return rooms.createRoom(change, writer)
      case 'open-direct':
        return rooms.openDirect(change, writer)
      case 'rename-room':
        return rooms.renameRoom(change, writer)
      case 'remove-room':
        return rooms.removeRoom(change, writer)
      case 'set-member':
        return members.setMember(change, writer)
      case 'remove-member':
        return members.removeMember(change, writer)
      case 'end-account':
        return members.endAccount(change, writer)
    }
  }
}
