import type { components } from '../contract/types.gen.ts'
import type { MaybePromise } from '../maybe-promise.ts'
import type { NewRoom } from './room-changes.ts'

type Schemas = components['schemas']

export type Room = Schemas['Room']
export type Role = Schemas['Role']
export type Member = Schemas['Member']

export interface RoomsPage {
  readonly rooms: Room[]
  /** Whether more rooms follow. */
  readonly more: boolean
}

export interface MembersPage {
  readonly members: Member[]
  /** The number of all members of the room. */
  readonly count: number
  /** Whether more members follow. */
  readonly more: boolean
}

/** A room as operators see it. */
export interface RoomRecord extends Room {
  readonly members: number
  /** The number of stored messages and events. */
  readonly entries: number
}

/**
 * Reads rooms. A room that the reader may not see is undefined, like one that does not exist: a public room is
 * visible to every user, any other room to its current members. Every method throws, or rejects with,
 * StorageUnavailable if the storage is temporarily unavailable.
 */
export interface Rooms {
  /** The rooms of a user in the order of their ids. @param after the id of the room that the page follows */
  listOf(userId: string, after: string | undefined, limit: number): MaybePromise<RoomsPage>
  /** All public rooms in the order of their ids. @param after the id of the room that the page follows */
  listPublic(after: string | undefined, limit: number): MaybePromise<RoomsPage>
  get(room: string, readerId: string): MaybePromise<Room | undefined>
  /** The members in the order of their user ids. @param after the id of the user that the page follows */
  members(
    room: string,
    readerId: string,
    page: { readonly after: string | undefined; readonly limit: number },
  ): MaybePromise<MembersPage | undefined>
}

/** What commands do with the rooms while the service may be running. */
export interface RoomAdministration {
  /** All rooms in the order of their ids. @param after the id of the room that the page follows */
  list(after: string | undefined, limit: number): MaybePromise<readonly RoomRecord[]>
  find(room: string): MaybePromise<RoomRecord | undefined>
  members(room: string, after: string | undefined, limit: number): MaybePromise<readonly Member[]>
  /**
   * Hands a change to the service, which carries it out within a second, or when it starts. The change has `by:
   * null`; what is no longer possible by then has no effect.
   */
  request(change: OperatorChange): MaybePromise<void>
}

/** The changes that an operator can request. */
export type OperatorChange =
  | {
      readonly kind: 'create-room'
      readonly room: NewRoom
      /** The username of the owner. */
      readonly owner: string
    }
  | { readonly kind: 'remove-room'; readonly room: string }
  | {
      readonly kind: 'set-member'
      readonly room: string
      readonly username: string
      readonly role: Role | undefined
    }
