import type { MaybePromise } from '../maybe-promise.ts'

/** The WebSockets that each user may open at the same time. */
export interface UserSlots {
  /** Whether the user may open one more. A promise is returned only if the implementation has to ask others. */
  acquire(userId: string): MaybePromise<boolean>
  /** Gives back one that `acquire` has granted. */
  release(userId: string): void
}
