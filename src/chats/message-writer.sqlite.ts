import type { ChatMessage } from '../contract/frames.ts'
import { ProblemError } from '../contract/problems.ts'
import { once } from '../once.ts'
import type { RoomChange, RoomChangeResult } from '../rooms/room-changes.ts'
import type { EntryWriter, NewEntry } from '../rooms/room-events.ts'
import { createRoomRules } from '../rooms/room-rules.ts'
import { runSteps } from '../rooms/room-steps.ts'
import { createSqliteRoomStore } from '../rooms/room-store.sqlite.ts'
import type { Queries } from '../storage/sqlite/connection.ts'
import { prepareEntryStatements } from './entry-statements.sqlite.ts'
import type { MessageIds } from './message-ids.ts'
import {
  IdempotencyKeyReused,
  type NewMessage,
  parseFrame,
  RoomNotFound,
  type StoredMessage,
} from './message-log.ts'
import type { MessageStatements } from './message-statements.sqlite.ts'
import { createWritableRooms } from './writable-rooms.ts'

/** A change of rooms that waits for its commit. */
export interface PendingChange {
  readonly change: RoomChange
  outcome: RoomChangeResult | ProblemError | undefined
}

/** What one commit stores. */
export type Pending = NewMessage | PendingChange

/** The time of a commit, which all of its messages share. */
export interface SentAt {
  /** Milliseconds since the epoch. */
  readonly ms: number
  /** RFC 3339. */
  readonly text: string
}

interface MessageWriterOptions {
  readonly queries: Queries
  readonly statements: MessageStatements
  readonly ids: MessageIds
  /** The sequence of the newest entry. */
  readonly head: () => number
}

/** Writes the messages and the changes of one commit, in their order, within its transaction. */
export function createMessageWriter({ queries, statements, ids, head }: MessageWriterOptions) {
  // Created at the first use: a service without rooms does not need them.
  const entries = once(() => prepareEntryStatements(queries))
  const writableRooms = once(() =>
    createWritableRooms((room, userId) => entries().writableRoom().get(room, userId)),
  )
  const applyChange = once(() => createRoomRules(createSqliteRoomStore(queries)))

  /** The message that the user has already stored with the same key. */
  const findRepeated = ({ user, idempotencyKey }: NewMessage) =>
    idempotencyKey === undefined ? undefined : statements.byKey().get({ userId: user.id, idempotencyKey })

  function store({ user, message, idempotencyKey }: NewMessage, sequence: number, sentAt: SentAt) {
    // JSON.stringify leaves out an undefined key, which is faster than a spread (docs/performance.md).
    const stored: Omit<ChatMessage, 'idempotencyKey' | 'room'> & Pick<NewMessage, 'idempotencyKey'> = {
      event: 'message',
      id: ids.encode(sequence),
      message,
      user,
      sentAt: sentAt.text,
      idempotencyKey,
    }
    const frame = JSON.stringify(stored)
    statements.insert().run(sequence, user.id, idempotencyKey ?? null, sentAt.ms, frame)
    return { id: stored.id, frame, repeated: false }
  }

  /** The outcome of a message whose key was stored before. */
  const repeat = (earlier: { sequence: number; frame: string }, { message }: NewMessage) =>
    parseFrame(earlier.frame).message === message
      ? { id: ids.encode(earlier.sequence), repeated: true }
      : new IdempotencyKeyReused()

  function storeInRoom(newMessage: NewMessage, room: number, sequence: number, sentAt: SentAt) {
    const { user, message, idempotencyKey, room: roomId } = newMessage
    const id = ids.encode(sequence)
    const frame = JSON.stringify({
      event: 'message',
      id,
      room: roomId,
      message,
      user,
      sentAt: sentAt.text,
      idempotencyKey,
    })
    entries()
      .insert()
      .run(sequence, room, null, 'message', user.id, idempotencyKey ?? null, sentAt.ms, frame)
    return { id, frame, repeated: false, delivery: { room } }
  }

  /** Stores a message to a room, if its sender is a member at this place of the log. */
  function appendToRoom(message: NewMessage, added: StoredMessage[], sentAt: SentAt): void {
    const { user, room, idempotencyKey } = message
    const number = writableRooms().find(room as string, user.id, added)
    if (number === undefined) {
      message.outcome = new RoomNotFound()
      return
    }
    const earlier =
      idempotencyKey === undefined ? null : entries().byKey().get(user.id, number, idempotencyKey)
    if (earlier) {
      message.outcome = repeat(earlier, message)
      return
    }
    const stored = storeInRoom(message, number, head() + added.length + 1, sentAt)
    added.push(stored)
    message.outcome = stored
  }

  function addEntry(entry: NewEntry, added: StoredMessage[], sentAt: SentAt): void {
    const { room, audience, userId, event, joins, leaves, ends } = entry
    const sequence = head() + added.length + 1
    const id = ids.encode(sequence)
    const { event: kind, ...rest } = event
    const frame = JSON.stringify({ event: kind, id, ...rest, sentAt: sentAt.text })
    entries()
      .insert()
      .run(sequence, room, audience ?? null, kind, userId, null, sentAt.ms, frame)
    added.push({ id, frame, delivery: { room, audience, joins, leaves, ends } })
  }

  function change(pending: PendingChange, added: StoredMessage[], sentAt: SentAt): void {
    writableRooms().change(added)
    try {
      const writer: EntryWriter = {
        next: () => head() + added.length + 1,
        add: (entry) => addEntry(entry, added, sentAt),
      }
      pending.outcome = runSteps(applyChange()(pending.change, writer))
    } catch (error) {
      // A refused change has written nothing. Any other error fails the commit.
      if (!(error instanceof ProblemError)) throw error
      pending.outcome = error
    }
  }

  /** Stores a batch and decides the outcome of each message. Returns the messages and events that are new. */
  return function storeAll(batch: readonly Pending[], sentAt: SentAt): StoredMessage[] {
    const added: StoredMessage[] = []
    for (const message of batch) {
      if ('change' in message) {
        change(message, added, sentAt)
        continue
      }
      if (message.room !== undefined) {
        appendToRoom(message, added, sentAt)
        continue
      }
      const earlier = findRepeated(message)
      if (!earlier) {
        const stored = store(message, head() + added.length + 1, sentAt)
        added.push(stored)
        message.outcome = stored
      } else {
        message.outcome = repeat(earlier, message)
      }
    }
    return added
  }
}
