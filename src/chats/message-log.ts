import type { ChatMessage } from '../contract/frames.ts'
import { ProblemError } from '../contract/problems.ts'
import type { MaybePromise } from '../maybe-promise.ts'
import type { LogMeasurements } from '../metrics/metrics.ts'
import { type RoomChanges, RoomNotFound } from '../rooms/room-changes.ts'
import type { User } from '../users/users.ts'

/** A message to append. */
export interface NewMessage {
  /** It is written to the frame as it is. */
  readonly user: User
  readonly message: string
  readonly idempotencyKey: string | undefined
  /** The id of the room; undefined for a message to all users. */
  readonly room?: string | undefined
  /** Set by the log before the promise of `append` resolves. */
  outcome?: Appended | Error | undefined
}

/** A stored message: its id, and the JSON text of the frame that every client receives. */
export interface StoredMessage {
  readonly id: string
  readonly frame: string
  /** Set for the messages and events of rooms. */
  readonly delivery?: RoomDelivery | undefined
}

/** Which connections receive an entry of a room, and which rooms they receive from then on. */
export interface RoomDelivery {
  /** The number of the room. It is never assigned again, and no client sees it. */
  readonly room: number
  /** The only user who receives the entry; undefined for all members. */
  readonly audience?: string | undefined
  /** The user whose connections receive the room from this entry on, including it. */
  readonly joins?: string | undefined
  /** The user whose connections receive the room through this entry. */
  readonly leaves?: string | undefined
  /** Whether the room ends with this entry. */
  readonly ends?: boolean | undefined
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

/**
 * Reads the messages to all users together with what one user has received, or would have received on an
 * uninterrupted connection, of all rooms. Create one for each resume, and pass it to all of its reads: it keeps what
 * the log needs from one page to the next.
 */
export interface LogView {
  readonly userId: string
  /** The number of sequences that the next page covers. */
  window?: number
  /** The gaps up to this sequence were reported: by the number of a room, or 0 for messages to all users. */
  reportedGaps?: Map<number, number>
}

/** Entries that were removed, and that the user would have received after the cursor. */
export interface LogGap {
  /** The id of the room; undefined for messages to all users. */
  readonly room: string | undefined
  /** The id of the oldest stored entry after the cursor, if there is one. */
  readonly oldest: string | null
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
  /** Whether there are more messages in the direction of reading. A page of a view may be empty before the end. */
  readonly more: boolean
  /** Only for pages of a view: the gaps that were not reported by an earlier page of the view. */
  readonly gaps?: readonly LogGap[]
  /** Only for pages of a view whose `end` was the head: the numbers of the user's rooms at that place of the log. */
  readonly rooms?: readonly number[]
}

/** A page of the history of a room: after a cursor, or before one, or the newest messages. */
export interface HistoryRange {
  readonly after?: string | undefined
  readonly before?: string | undefined
  readonly limit: number
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
export interface MessageLog extends RoomChanges {
  /**
   * Resolves when the outcome of the message is decided and durable. All messages of one commit share the
   * promise, which costs least; `outcomeOf` returns the outcome of each.
   *
   * @throws StorageUnavailable if nothing was stored
   */
  append(message: NewMessage): Promise<void>
  /**
   * The messages after `cursor`, or all of them. Never returns a message before the listeners received it.
   *
   * @param view undefined for the messages to all users. With a view, removed messages are a gap of the page, and
   *   the result is `gone` only if the cursor is from another log.
   */
  readAfter(cursor: string | undefined, limit: number, view?: LogView): ReadResult
  /** How many pages may be read at the same time for clients that resume. */
  readonly maxParallelReads: number
  /** The messages to all users before `cursor`, or the newest. */
  readBefore(cursor: string | undefined, limit: number): ReadResult
  /** The messages of a room that the reader may see; undefined if the reader may not see the room. */
  readHistory(
    room: string,
    readerId: string,
    range: HistoryRange,
  ): MaybePromise<Page | typeof gone | undefined>
  /** Returns a stored message; undefined if no message has this id, or the reader may not see it. */
  read(id: string, readerId: string): MaybePromise<StoredMessage | undefined>
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
   * Erases all messages of a user, those in rooms included, whose account was removed for this purpose
   * (`Users.remove`). Resolves when they are erased or, if the storage fails, when the erasure was left to background work. An erasure that is
   * interrupted continues when the log is opened the next time.
   */
  eraseMessagesOf(userId: string): Promise<void>
  /** Calls `listener` with each durable message and each event of a room, once, in log order. */
  subscribe(listener: (message: StoredMessage) => void): void
  /** Resolves when no append is pending. */
  flush(): Promise<void>
  /** The extent of the stored messages, for metrics. */
  measure(): MaybePromise<LogMeasurements>
  /** Stops the background work. */
  close(): void
}

export { RoomNotFound }

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
 * @throws RoomNotFound if the user was not a member of the room
 * @throws StorageUnavailable if nothing was stored, although other messages of the same commit were
 */
export function outcomeOf({ outcome }: NewMessage): Appended {
  if (outcome instanceof Error) throw outcome
  if (!outcome) throw new Error('The message has not been appended')
  return outcome
}

/** Parses the frame of a stored message. The log creates all frames, so they follow the document. */
export const parseFrame = (frame: string) => JSON.parse(frame) as ChatMessage
