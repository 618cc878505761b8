import type { User } from '../contract/handlers.ts'
import type { MaybePromise } from '../maybe-promise.ts'

export type { User }

export interface Credentials extends User {
  readonly passwordHash: string
}

/**
 * The accounts. Every method throws, or rejects with, StorageUnavailable if the storage is temporarily
 * unavailable.
 */
export interface Users {
  /** Returns the new user, or undefined if the username is taken in any letter case. */
  add(username: string, passwordHash: string): MaybePromise<User | undefined>
  find(id: string): MaybePromise<User | undefined>
  /** @param username in any letter case */
  findCredentials(username: string): MaybePromise<Credentials | undefined>
  changePasswordHash(id: string, passwordHash: string): MaybePromise<void>
  /** Returns whether the user existed. */
  remove(id: string): MaybePromise<boolean>
  /**
   * A number that changes when any account may have changed or been removed, by this process or by another
   * program. A user that was read after `version()` returned a number is current while it returns the same
   * number.
   */
  version(): number
}
