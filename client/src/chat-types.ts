import type { ConnectionTimes } from './connection.ts'
import type { Schemas } from './contract.gen.ts'
import type { ParleyError } from './errors.ts'
import type { MessagesOptions } from './messages.ts'
import type { OutboxOptions, SendOptions } from './outbox.ts'
import type { AuthReason } from './session.ts'

export type ChatMessage = Schemas['ChatMessage']
export type Room = Schemas['Room']
export type User = Schemas['User']

export interface ChatOptions extends ConnectionTimes, OutboxOptions {
  /**
   * Where to begin: with new messages (default), with the last stored ones (at most 200), after a message or
   * a `cursor` of an earlier chat, or with all stored messages.
   */
  readonly from?: 'now' | 'beginning' | { readonly last: number } | { readonly after: string }
  /** `mine`: also receive the messages and the events of all rooms of the user. */
  readonly rooms?: 'mine'
  /** The first and the longest delay before connecting again. Default 1000 and 60 000. */
  readonly firstDelayMs?: number
  readonly maxDelayMs?: number
}

export type ChatState =
  | { readonly name: 'connecting' }
  /** Connected; the missed messages arrive. */
  | { readonly name: 'catching-up' }
  | { readonly name: 'open' }
  /** Connects again at `until`, in milliseconds since 1970. */
  | { readonly name: 'waiting'; readonly until: number; readonly error: ParleyError | undefined }
  /** Continues when the client has a token. */
  | { readonly name: 'unauthorized'; readonly reason: AuthReason; readonly error: ParleyError | undefined }
  /** Disconnected because a loop over the messages is slow, or because the page was left. */
  | { readonly name: 'paused' }
  /** `close` was called, and waits for the messages in flight. */
  | { readonly name: 'closing' }
  | { readonly name: 'closed'; readonly error: ParleyError | undefined }

export interface ChatEvents {
  message: ChatMessage
  state: ChatState
  /** Some of the missed messages are no longer stored. Those that are stored follow. */
  gap: Schemas['GapFrame']
  /** A user is a member of a room from now on, or has another role. */
  joined: Schemas['JoinedFrame']
  /** A user is no longer a member of a room. */
  left: Schemas['LeftFrame']
  'room-changed': Schemas['RoomChangedFrame']
  'room-removed': Schemas['RoomRemovedFrame']
  /** `rooms` has changed. */
  rooms: ReadonlyMap<string, Room>
  /** All missed messages have arrived. */
  'caught-up': Schemas['CaughtUpFrame']
  /** A refusal that belongs to no message of this chat. */
  error: ParleyError
}

export interface Chat extends AsyncIterable<ChatMessage>, AsyncDisposable {
  readonly state: ChatState
  /** The user of the token, once the chat has connected. */
  readonly user: User | undefined
  /** The position. Keep it, and begin with `{ after: cursor }` later. */
  readonly cursor: string | undefined
  /** With `rooms: 'mine'`: the rooms of the user by their id, complete while the chat is open. */
  readonly rooms: ReadonlyMap<string, Room>
  /** Messages that are not confirmed yet. */
  readonly pending: number
  /** Calls the listener for each event. Returns a function that removes it. */
  on<Name extends keyof ChatEvents>(name: Name, listener: (value: ChatEvents[Name]) => void): () => void
  /** Resolves when the chat is open for the first time. Rejects if it closes before. */
  opened(): Promise<void>
  /** Resolves with the stored message, or rejects with the reason why it is not stored. */
  send(text: string, options?: SendOptions): Promise<ChatMessage>
  messages(options?: MessagesOptions): AsyncGenerator<ChatMessage, void>
  /** Waits for the messages in flight, and disconnects. Those that were not sent reject. */
  close(): Promise<void>
}
