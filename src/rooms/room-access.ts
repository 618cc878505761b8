import { roomsPerUser } from '../contract/limits.ts'
import { ProblemError } from '../contract/problems.ts'
import type { User } from '../users/users.ts'
import { RoomNotFound } from './room-changes.ts'
import { NotOwner, RoomLimitExceeded } from './room-errors.ts'
import { ask, type Steps } from './room-steps.ts'
import type { MembershipRow, RoomRow, RoomStore } from './room-store.ts'

/** A room that may be seen, and the membership of the user who makes the change. */
export interface Target {
  readonly room: RoomRow
  readonly own: MembershipRow | undefined
}

/** What a change of rooms requires before it writes anything. */
export function createRoomAccess(store: RoomStore) {
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

  return { requireAccount, findUsers, findUser, requireFreeRooms, findRoom, requireOwner }
}

export type RoomAccess = ReturnType<typeof createRoomAccess>
