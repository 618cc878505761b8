import type { ChatMessage } from '../contract/frames.ts'
import { ProblemError } from '../contract/problems.ts'
import type { MaybePromise } from '../maybe-promise.ts'
import type { LogMeasurements } from '../metrics/metrics.ts'
import type { User } from '../users/users.ts'

/** A message to append. */
export interface NewMessage {
  readonly user: User
  readonly message: string
  readonly idempotencyKey: string | undefined
  /** Set by the log before the promise of `append` resolves. */
  outcome?: Appended | IdempotencyKeyReused | undefined
}

/** A stored message: its id, and the JSON text of the frame that every client receives. */
export interface StoredMessage {
  readonly id: string
  readonly frame: string
}

/** The log cannot continue from a cursor: it is from another log, or messages after it were removed. */
export const gone = 'gone'

/** A message that is durable. */
export interface Appended {
  /** The id of the stored message. */
  readonly id: string
  /** Whether the message had already been stored with the same key. It is not broadcast again. */
  readonly repeated: boolean
}

export interface Page {
  /** The cursor that the page follows; only for pages that are read forward. */
  readonly start?: string
  /**
   * The cursor from which reading continues; only for pages that are read forward. At the end of the log it is
   * the head, which is not the id of a stored message if that message was removed.
   */
  readonly end?: string
  /** In log order. */
  readonly messages: readonly StoredMessage[]
  /** Whether there are more messages in the direction of reading. */
  readonly more: boolean
}

/** What a read returns. */
export type ReadResult = MaybePromise<Page | typeof gone>

/** The user sent another message with the same key before. */
export class IdempotencyKeyReused extends ProblemError {
  constructor() {
    const detail = 'differs from the message that this key came with'
    super('idempotency-key-reused', { errors: [{ pointer: '/message', detail }] })
  }
}

/**
 * The messages, in the one order in which every client receives them. An id is opaque outside the log: it
 * identifies a message, its position, and the log that it belongs to.
 */
export interface MessageLog {
  /**
   * Resolves when the outcome of the message is decided and durable. All messages of one commit share the
   * promise, which costs least; `outcomeOf` returns the outcome of each.
   *
   * @throws StorageUnavailable if nothing was stored
   */
  append(message: NewMessage): Promise<void>
  /** The messages after `cursor`, or all of them. Never returns a message before the listeners received it. */
  readAfter(cursor: string | undefined, limit: number): ReadResult
  /** The messages before `cursor`, or the newest. */
  readBefore(cursor: string | undefined, limit: number): ReadResult
  /** Returns a stored message, or undefined if no message with this id is stored. */
  read(id: string): MaybePromise<StoredMessage | undefined>
  /**
   * A cursor for the end of the log: the id of the newest message that listeners have received or that was
   * stored at startup, even if it has been removed since, or a cursor that precedes the first message.
   */
  head(): string
  /**
   * Removes single messages. Their positions remain, so that cursors stay valid and clients receive no `gap` frame.
   *
   * @returns the ids of the messages that were stored until now
   */
  remove(ids: readonly string[]): MaybePromise<readonly string[]>
  /**
   * Erases all messages of a user whose account was removed for this purpose (`Users.remove`). Resolves when
   * they are erased or, if the storage fails, when the erasure was left to background work. An erasure that is
   * interrupted continues when the log is opened the next time.
   */
  eraseMessagesOf(userId: string): Promise<void>
  /** Calls `listener` with each durable message, once, in log order. */
  subscribe(listener: (message: StoredMessage) => void): void
  /** Resolves when no append is pending. */
  flush(): Promise<void>
  /** The extent of the stored messages, for metrics. */
  measure(): MaybePromise<LogMeasurements>
  /** Stops the background work. */
  close(): void
}

/** What commands do with the messages while the service may be running. */
export interface MessageAdministration extends Pick<MessageLog, 'remove'> {
  /**
   * Erases all messages of a user whose account was removed. The running service must have stopped accepting
   * messages of the user. Rejects if the storage fails; the next start of the service then continues.
   *
   * @returns the number of erased messages
   */
  eraseMessagesOf(userId: string): Promise<number>
}

/**
 * The outcome of an append that has resolved.
 *
 * @throws IdempotencyKeyReused if the key came with another message
 */
export function outcomeOf({ outcome }: NewMessage): Appended {
  if (outcome instanceof Error) throw outcome
  if (!outcome) throw new Error('The message has not been appended')
  return outcome
}

/** Parses the frame of a stored message. The log creates all frames, so they follow the document. */
export const parseFrame = (frame: string) => JSON.parse(frame) as ChatMessage
