import { membersPerRoom } from '../contract/limits.ts'
import type { User } from '../users/users.ts'
import type { RoomAccess, Target } from './room-access.ts'
import { type Change, type RoomChangeResult, RoomNotFound } from './room-changes.ts'
import { LastOwner, NotOwner, RoomLimitExceeded } from './room-errors.ts'
import type { EntryWriter, RoomEvents } from './room-events.ts'
import { ask, type Steps } from './room-steps.ts'
import type { RoomStore } from './room-store.ts'

/** The rules by which users join, leave and change their roles. */
export function createMemberRules(store: RoomStore, access: RoomAccess, events: RoomEvents) {
  const { requireAccount, findUser, requireFreeRooms, findRoom, requireOwner } = access

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

  return { setMember, removeMember, endAccount }
}
