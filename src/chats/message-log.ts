import type { ChatMessage } from '../contract/frames.ts'
import { ProblemError } from '../contract/problems.ts'
import type { MaybePromise } from '../maybe-promise.ts'
import type { User } from '../users/users.ts'

export interface NewMessage {
  readonly user: User
  readonly message: string
  readonly idempotencyKey: string | undefined
}

/** A stored message: its id, and the JSON text of the frame that every client receives. */
export interface StoredMessage {
  readonly id: string
  readonly frame: string
}

/** The log cannot continue from a cursor: it is from another log, or messages after it were removed. */
export const gone = 'gone'

export interface Page {
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
   * Resolves when the message is durable, or if the same user has already stored the same message with the
   * same key.
   *
   * @throws StorageUnavailable if nothing was stored
   * @throws IdempotencyKeyReused if the key came with another message
   */
  append(message: NewMessage): Promise<void>
  /** The messages after `cursor`, or all of them. Never returns a message before the listeners received it. */
  readAfter(cursor: string | undefined, limit: number): ReadResult
  /** The messages before `cursor`, or the newest. */
  readBefore(cursor: string | undefined, limit: number): ReadResult
  /**
   * The id of the newest message that listeners have received or that was stored at startup, even if it has
   * been removed since; undefined if the log never contained a message.
   */
  head(): string | undefined
  /** Calls `listener` with each durable message, once, in log order. */
  subscribe(listener: (message: StoredMessage) => void): void
  /** Resolves when no append is pending. */
  flush(): Promise<void>
  /** Stops the background work. */
  close(): void
}

/** Parses the frame of a stored message. The log creates all frames, so they follow the document. */
export const parseFrame = (frame: string) => JSON.parse(frame) as ChatMessage
