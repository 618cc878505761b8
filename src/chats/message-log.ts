import type { ChatMessage } from '../contract/frames.ts'
import type { User } from '../users/users.ts'

export interface NewMessage {
  readonly user: User
  readonly message: string
  readonly idempotencyKey: string | undefined
}

/** A message that is stored: its id, and the frame that everyone gets, as JSON text. */
export interface StoredMessage {
  readonly id: string
  readonly frame: string
}

/** The log cannot continue from this cursor: it is from another log, or what follows is not all kept. */
export type Gone = 'gone'

export interface Page {
  /** In the order of the log. */
  readonly messages: readonly StoredMessage[]
  /** Whether there is more in the direction of reading. */
  readonly more: boolean
}

/** The key came with another message before. */
export class IdempotencyKeyReused extends Error {}

/**
 * The messages, in the one order in which everyone gets them. An id is opaque outside the log: it
 * names a message, its place, and the log it belongs to.
 */
export interface MessageLog {
  /**
   * Settles when the message is durable, or was already (the same user, key and message).
   *
   * @throws StorageUnavailable where nothing was stored
   * @throws IdempotencyKeyReused where the key came with another message
   */
  append(message: NewMessage): Promise<void>
  /** What follows `cursor`; without one, all that is kept. Never ahead of what `subscribe` was told. */
  readAfter(cursor: string | undefined, limit: number): Page | Gone | Promise<Page | Gone>
  /** What precedes `cursor`; without one, the newest. */
  readBefore(cursor: string | undefined, limit: number): Page | Gone | Promise<Page | Gone>
  /** The id of the newest message that `subscribe` was told of, or of the newest at the start, kept or not. */
  head(): string | undefined
  /** `listener` is told of each durable message, once, in the log's order. */
  subscribe(listener: (message: StoredMessage) => void): void
  /** Settles when all that was appended has been settled. */
  flush(): Promise<void>
  /** Stops the work in the background. */
  close(): void
}

/** What a frame says; the log alone makes them, so they are what the document says. */
export const parseFrame = (frame: string) => JSON.parse(frame) as ChatMessage
