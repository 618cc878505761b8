import { ProblemError } from '../contract/problems.ts'
import type { User } from '../users/users.ts'
import type { Member, Role, Room } from './rooms.ts'

/** The room or the named user does not exist, or the user may not see the room: the responses are the same. */
export class RoomNotFound extends ProblemError {
  constructor() {
    super('not-found')
  }
}

export interface NewRoom {
  readonly name: string
  readonly public: boolean
  readonly history: Room['history']
  /** In any letter case. The creator becomes the owner and does not have to be among them. */
  readonly members: readonly string[]
}

/**
 * A change of rooms or members. `by` is the user who makes it; null is the operator, who may do everything.
 * Usernames may have any letter case.
 */
export type RoomChange =
  | {
      readonly kind: 'create-room'
      readonly by: User
      readonly room: NewRoom
      readonly idempotencyKey: string | undefined
    }
  | {
      readonly kind: 'open-direct'
      readonly by: User
      readonly username: string
      /** Whether the room may be created if it does not exist. */
      readonly mayCreate: boolean
    }
  | { readonly kind: 'rename-room'; readonly by: User; readonly room: string; readonly name: string }
  | { readonly kind: 'remove-room'; readonly by: User | null; readonly room: string }
  | {
      readonly kind: 'set-member'
      readonly by: User | null
      readonly room: string
      readonly username: string
      /** Without a role, a new member has the role `member`, and a member keeps the role. */
      readonly role: Role | undefined
    }
  | {
      readonly kind: 'remove-member'
      readonly by: User
      readonly room: string
      readonly username: string
    }
  /** The account of the user was removed: the user leaves all rooms. */
  | { readonly kind: 'end-account'; readonly userId: string }

/** A change of one kind. */
export type Change<Kind extends RoomChange['kind']> = Extract<RoomChange, { kind: Kind }>

/** What a change results in. Each property is set by the kinds that have it. */
export interface RoomChangeResult {
  /** The room after `create-room`, `open-direct` and `rename-room`. */
  readonly room?: Room
  /** The member after `set-member`. */
  readonly member?: Member
}

/** Changes rooms. Every change is an entry of the message log, or several, or none if nothing changes. */
export interface RoomChanges {
  /**
   * Resolves when the change is durable. All of its entries belong to one commit.
   *
   * @throws RoomNotFound, or another ProblemError that the operation documents
   * @throws StorageUnavailable if nothing was stored
   */
  change(change: RoomChange): Promise<RoomChangeResult>
}
