import type { User } from '../contract/handlers.ts'
import type { MaybePromise } from '../maybe-promise.ts'

export type { User }

/** An account that has not been removed. */
export interface Account {
  readonly user: User
  /**
   * Identifies the last revocation of all tokens. A token contains the value of its issue, and is revoked if
   * the account has another one. Milliseconds since the epoch; 0 before the first revocation.
   */
  readonly tokensValidFrom: number
}

export interface Credentials extends Account {
  readonly passwordHash: string
}

/** An account as operators see it. */
export interface UserRecord extends User {
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  /** Milliseconds since the epoch; 0 if the tokens of the user have never been revoked together. */
  readonly tokensValidFrom: number
  /** Milliseconds since the epoch; null unless the account was removed. */
  readonly removedAt: number | null
}

export interface Removal {
  /** If set, the account is removed only if it still has this password hash. */
  readonly passwordHash?: string
  /** Whether the messages of the user are to be erased, too. `MessageLog.eraseMessagesOf` does it. */
  readonly eraseMessages: boolean
}

/**
 * The accounts. Every method throws, or rejects with, StorageUnavailable if the storage is temporarily
 * unavailable.
 *
 * The row of a removed account remains and reserves its username, so that no other person can register under
 * the name of a removed user.
 */
export interface Users {
  /** Returns the new user, or undefined if the username is taken in any letter case. */
  add(username: string, passwordHash: string): MaybePromise<User | undefined>
  find(id: string): MaybePromise<Account | undefined>
  /** @param username in any letter case */
  findCredentials(username: string): MaybePromise<Credentials | undefined>
  /** Whether the username belongs to an account, removed or not. @param username in any letter case */
  isTaken(username: string): MaybePromise<boolean>
  /**
   * Replaces the hash of an unchanged password. The tokens remain valid.
   *
   * @returns false if the account does not have the hash `from`, for example because its password was changed
   */
  rehash(id: string, hashes: { readonly from: string; readonly to: string }): MaybePromise<boolean>
  /**
   * Changes the password and revokes all tokens of the user.
   *
   * @param from if set, the hash that the account must still have, so that of two changes one fails
   * @returns the changed account; undefined if it does not exist or has another hash
   */
  changePassword(
    id: string,
    hashes: { readonly from?: string; readonly to: string },
  ): MaybePromise<Account | undefined>
  /** Revokes all tokens of a user. Returns whether the account exists. */
  revokeTokens(id: string): MaybePromise<boolean>
  /**
   * Removes an account, its password and all access to it. Marks the account, so that its user leaves all rooms even
   * if the service is interrupted (`RoomChange` of the kind `end-account`).
   *
   * @returns false if it does not exist or has another password hash than the given one
   */
  remove(id: string, removal: Removal): MaybePromise<boolean>
  /** The record of an account, removed or not. @param username in any letter case */
  findRecord(username: string): MaybePromise<UserRecord | undefined>
  /**
   * The records of all accounts, removed or not, in the order of their usernames.
   *
   * @param after the username that the page follows, in any letter case
   */
  list(after: string | undefined, limit: number): MaybePromise<readonly UserRecord[]>
  /**
   * A number that changes when any account or revocation may have changed, by this process or by another
   * program. What was read after `version()` returned a number is current while it returns the same number.
   */
  version(): number
}
