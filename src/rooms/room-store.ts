import type { MaybePromise } from '../maybe-promise.ts'
import type { User } from '../users/users.ts'
import type { Role, Room } from './rooms.ts'

/** A room as it is stored. */
export interface RoomRow {
  readonly number: number
  readonly id: string
  readonly name: string
  /** 1 or 0. */
  readonly public: number
  readonly history: Room['history']
  readonly directPair: string | null
  readonly trimmedThrough: number
}

export interface MembershipRow {
  readonly userId: string
  readonly role: Role
}

/** What a room is left with when a user leaves it. */
export interface Departure {
  readonly room: RoomRow
  /** The number of its members, including the user. */
  readonly members: number
  /** Of its other members, the one of longest standing. */
  readonly eldest: User | undefined
  readonly hasOtherOwner: boolean
  /** Whether both users of a direct room have an account; false for any other room. */
  readonly pairExists: boolean
}

/** A membership that begins. */
export interface NewMembership {
  readonly userId: string
  readonly fromSequence: number
  readonly role: Role
}

/** A room to insert. */
export interface InsertedRoom extends Omit<RoomRow, 'public' | 'trimmedThrough'> {
  readonly public: boolean
  readonly createdBy: string
  readonly idempotencyKey: string | null
  /** The request that came with the key. */
  readonly request: string | null
}

export const toRoom = ({ id, name, public: isPublic, history, directPair }: RoomRow): Room => ({
  id,
  name,
  public: isPublic === 1,
  history,
  direct: directPair !== null,
})

/** Names a direct room by its two users. */
export const pairOf = (one: string, other: string): string => [one, other].sort().join(' ')

/**
 * The tables of rooms within the transaction of a commit. Only rooms that exist and memberships that have not ended
 * are found, unless a method says otherwise.
 *
 * A read of an engine in another process is a round trip, during which all appends wait. A change therefore reads what it
 * needs about any number of users or rooms at once, and reads everything before it writes.
 */
export interface RoomStore {
  room(id: string): MaybePromise<RoomRow | undefined>
  roomOfPair(pair: string): MaybePromise<RoomRow | undefined>
  /** The room that a user has created with a key. */
  roomOfKey(
    createdBy: string,
    key: string,
  ): MaybePromise<(RoomRow & { readonly request: string }) | undefined>
  /** The account of each username, unless there is none or it was removed. */
  usersByName(usernames: readonly string[]): MaybePromise<readonly (User | undefined)[]>
  /** The account with this id, unless it was removed. */
  userById(id: string): MaybePromise<User | undefined>
  /** The account, also after its removal. */
  anyUserById(id: string): MaybePromise<User | undefined>
  membership(userId: string, room: number): MaybePromise<MembershipRow | undefined>
  /** The number of rooms of each user. */
  countRoomsOf(userIds: readonly string[]): MaybePromise<readonly number[]>
  countMembers(room: number): MaybePromise<number>
  /** An owner other than this user. */
  owner(room: number, exceptUserId: string): MaybePromise<MembershipRow | undefined>
  /** Of one room of the user, or of all of them, in the order in which the user joined them. */
  departures(userId: string, room?: number): MaybePromise<readonly Departure[]>

  // The writes below take effect for all later reads. An engine may report that one has failed when it commits, and may
  // change their order up to the next read: no two writes between two reads change the same row.

  insertRoom(room: InsertedRoom): void
  rename(room: number, name: string): void
  /** Ends the room. Its idempotency key and its pair become free. */
  end(room: number, endedAt: number): void
  addMembers(room: number, members: readonly NewMembership[]): void
  setRole(userId: string, room: number, role: Role): void
  endMember(userId: string, room: number, throughSequence: number): void
  endAllMembers(room: number, throughSequence: number): void
  /** Records that the user of a removed account has left all rooms. */
  finishLeaving(userId: string): void
}
