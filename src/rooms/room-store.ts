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
 */
export interface RoomStore {
  room(id: string): MaybePromise<RoomRow | undefined>
  roomByNumber(number: number): MaybePromise<RoomRow | undefined>
  roomOfPair(pair: string): MaybePromise<RoomRow | undefined>
  /** The room that a user has created with a key. */
  roomOfKey(
    createdBy: string,
    key: string,
  ): MaybePromise<(RoomRow & { readonly request: string }) | undefined>
  /** The account with this username or id, unless it was removed. */
  userByName(username: string): MaybePromise<User | undefined>
  userById(id: string): MaybePromise<User | undefined>
  /** The account, also after its removal. */
  anyUserById(id: string): MaybePromise<User | undefined>
  membership(userId: string, room: number): MaybePromise<MembershipRow | undefined>
  /** The numbers of the user's rooms, in the order in which the user joined them. */
  numbersOf(userId: string): MaybePromise<readonly number[]>
  countRoomsOf(userId: string): MaybePromise<number>
  countMembers(room: number): MaybePromise<number>
  /** An owner other than this user. */
  owner(room: number, exceptUserId: string): MaybePromise<MembershipRow | undefined>
  /** The member of longest standing. */
  eldest(room: number): MaybePromise<MembershipRow | undefined>

  // The writes below take effect for all later reads. An engine may report that one has failed when it commits.

  insertRoom(room: InsertedRoom): void
  rename(room: number, name: string): void
  /** Ends the room. Its idempotency key and its pair become free. */
  end(room: number, endedAt: number): void
  addMember(userId: string, room: number, fromSequence: number, role: Role): void
  setRole(userId: string, room: number, role: Role): void
  endMember(userId: string, room: number, throughSequence: number): void
  endAllMembers(room: number, throughSequence: number): void
  /** Records that the user of a removed account has left all rooms. */
  finishLeaving(userId: string): void
}
