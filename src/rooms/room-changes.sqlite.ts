import { membersPerRoom, roomsPerUser } from '../contract/limits.ts'
import { ProblemError } from '../contract/problems.ts'
import type { Queries } from '../storage/sqlite/connection.ts'
import type { User } from '../users/users.ts'
import { type NewRoom, type RoomChange, type RoomChangeResult, RoomNotFound } from './room-changes.ts'
import { LastOwner, NotOwner, RoomKeyReused, RoomLimitExceeded } from './room-errors.ts'
import { createRoomEvents, type EntryWriter } from './room-events.sqlite.ts'
import {
  type MembershipRow,
  pairOf,
  prepareRoomStatements,
  type RoomRow,
  toRoom,
} from './room-statements.sqlite.ts'
import { createRoomWrites } from './room-writes.sqlite.ts'

type Change<Kind extends RoomChange['kind']> = Extract<RoomChange, { kind: Kind }>

/** Identifies a room to its users. Random, so that it reveals nothing. */
const createRoomId = () => Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url')

/**
 * Applies changes of rooms within the transaction of a commit. Each change is checked completely before it
 * writes anything, so that a refused one leaves nothing behind.
 */
export function createRoomChanges(queries: Queries) {
  const statements = prepareRoomStatements(queries)
  const writes = createRoomWrites(queries)
  const events = createRoomEvents({ statements, writes })

  /** @throws ProblemError invalid-token if the account has been removed since the request was authenticated */
  function requireAccount(user: User): void {
    if (!statements.userById().get(user.id)) throw new ProblemError('invalid-token')
  }

  function findUser(username: string): User {
    const user = statements.userByName().get(username)
    if (!user) throw new RoomNotFound()
    return user
  }

  function requireFreeRoom({ id }: User): void {
    if ((statements.countRoomsOf().get(id)?.count ?? 0) >= roomsPerUser) throw new RoomLimitExceeded()
  }

  /** The room, if `by` may see it, and the membership of `by`. */
  function findRoom(id: string, by: User | null): { room: RoomRow; own: MembershipRow | undefined } {
    const room = statements.room().get(id)
    if (!room) throw new RoomNotFound()
    const own = by ? (statements.membership().get(by.id, room.number) ?? undefined) : undefined
    if (by !== null && room.public === 0 && own === undefined) throw new RoomNotFound()
    return { room, own }
  }

  function requireOwner(by: User | null, own: MembershipRow | undefined): void {
    if (by !== null && own?.role !== 'owner') throw new NotOwner()
  }

  function insertRoom(
    writer: EntryWriter,
    room: NewRoom,
    own: Partial<Parameters<typeof writes.insertRoom>[0]>,
  ) {
    const { name, public: isPublic, history } = room
    const number = writer.next()
    const id = createRoomId()
    writes.insertRoom({ number, id, name, public: isPublic, history, createdBy: '', ...own })
    return statements.roomByNumber().get(number) as RoomRow
  }

  function createRoom({ by, room, idempotencyKey }: Change<'create-room'>, writer: EntryWriter) {
    requireAccount(by)
    const request = JSON.stringify([room.name, room.public, room.history, room.members])
    const earlier = idempotencyKey === undefined ? null : statements.roomOfKey().get(by.id, idempotencyKey)
    if (earlier && earlier.request !== request) throw new RoomKeyReused()
    if (earlier) return { room: toRoom(earlier) }
    const named = new Map(room.members.map(findUser).map((user) => [user.id, user]))
    named.delete(by.id)
    const members = [...named.values()]
    for (const user of [by, ...members]) requireFreeRoom(user)
    const created = insertRoom(writer, room, {
      createdBy: by.id,
      ...(idempotencyKey !== undefined && { idempotencyKey, request }),
    })
    events.join(writer, { room: created, user: by, role: 'owner', by })
    for (const user of members) events.join(writer, { room: created, user, role: 'member', by })
    return { room: toRoom(created) }
  }

  function openDirect({ by, username, mayCreate }: Change<'open-direct'>, writer: EntryWriter) {
    requireAccount(by)
    const other = findUser(username)
    if (other.id === by.id) throw new RoomNotFound()
    const directPair = pairOf(by.id, other.id)
    const found = statements.roomOfPair().get(directPair)
    if (found && statements.membership().get(by.id, found.number)) return { room: toRoom(found) }
    if (!found && !mayCreate) return {}
    requireFreeRoom(by)
    if (found) {
      events.join(writer, { room: found, user: by, role: 'member', by })
      return { room: toRoom(found) }
    }
    requireFreeRoom(other)
    const name = `${by.username}, ${other.username}`
    const room = insertRoom(
      writer,
      { name, public: false, history: 'all', members: [] },
      { directPair, createdBy: by.id },
    )
    for (const user of [by, other]) events.join(writer, { room, user, role: 'member', by })
    return { room: toRoom(room) }
  }

  function renameRoom({ by, room: id, name }: Change<'rename-room'>, writer: EntryWriter) {
    requireAccount(by)
    const { room, own } = findRoom(id, by)
    requireOwner(by, own)
    if (room.name === name) return { room: toRoom(room) }
    const renamed = { ...room, name }
    writes.rename(room.number, name)
    events.change(writer, { room: renamed, by })
    return { room: toRoom(renamed) }
  }

  function removeRoom({ by, room: id }: Change<'remove-room'>, writer: EntryWriter) {
    if (by) requireAccount(by)
    const { room, own } = findRoom(id, by)
    requireOwner(by, own)
    events.remove(writer, { room, by })
    return {}
  }

  function addMember(
    { by, role = 'member' }: Change<'set-member'>,
    { room, own, user }: { room: RoomRow; own: MembershipRow | undefined; user: User },
    writer: EntryWriter,
  ) {
    const joinsPublic = by?.id === user.id && room.public === 1 && role === 'member'
    if (!joinsPublic) requireOwner(by, own)
    if (room.directPair !== null) throw new NotOwner()
    requireFreeRoom(user)
    if ((statements.countMembers().get(room.number)?.count ?? 0) >= membersPerRoom)
      throw new RoomLimitExceeded()
    events.join(writer, { room, user, role, by })
    return { member: { user, role } }
  }

  function setMember(change: Change<'set-member'>, writer: EntryWriter) {
    const { by, room: id, username } = change
    if (by) requireAccount(by)
    const { room, own } = findRoom(id, by)
    // An owner who names an unknown user learns no more than a registration with this name reveals.
    const user = findUser(username)
    const member = statements.membership().get(user.id, room.number)
    if (!member) return addMember(change, { room, own, user }, writer)
    const { role = member.role } = change
    if (role === member.role && user.id === by?.id) return { member: { user, role } }
    requireOwner(by, own)
    if (room.directPair !== null) throw new NotOwner()
    if (role === member.role) return { member: { user, role } }
    if (role === 'member' && !statements.owner().get(room.number, user.id)) throw new LastOwner()
    events.setRole(writer, { room, user, role, by })
    return { member: { user, role } }
  }

  function removeMember({ by, room: id, username }: Change<'remove-member'>, writer: EntryWriter) {
    requireAccount(by)
    const { room, own } = findRoom(id, by)
    const user = statements.userByName().get(username)
    if (user?.id !== by.id) requireOwner(by, own)
    if (!user || !statements.membership().get(user.id, room.number)) throw new RoomNotFound()
    events.leave(writer, { room, user, by })
    return {}
  }

  function endAccount({ userId }: Change<'end-account'>, writer: EntryWriter) {
    const user = statements.anyUserById().get(userId)
    for (const { room: number } of user ? statements.numbersOf().all(userId) : []) {
      const room = statements.roomByNumber().get(number)
      if (room && user) events.leave(writer, { room, user, by: user })
    }
    writes.finishLeaving(userId)
    return {}
  }

  /**
   * Applies one change, and writes its entries.
   *
   * @throws ProblemError if the change is refused; then nothing was written
   */
  return function apply(change: RoomChange, writer: EntryWriter): RoomChangeResult {
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
