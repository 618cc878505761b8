// Inserts rooms, their members and messages in bulk into a Parley database. The server must be stopped.

import { Database } from 'bun:sqlite'
import { createMessageIds } from '../src/chats/message-ids.ts'
import { openEnd } from '../src/storage/sqlite/schema.ts'
import type { Account } from './seed.ts'

export interface SeededRooms {
  /** The ids of the rooms. */
  ids: string[]
  /** The cursor of a client that has missed the last `messages` messages of all rooms together. */
  cursor: (messages: number) => string
}

interface RoomsToSeed {
  /** The members of each room, of which the first one is the owner. */
  rooms: ReadonlyArray<readonly Account[]>
  /** The number of messages. The rooms take them in turns, and the owner of a room is their author. */
  messages: number
}

/**
 * Inserts rooms whose members have joined before the first message. Their `joined` events are left out, because no
 * measurement reads them.
 */
export function seedRooms(file: string, { rooms, messages }: RoomsToSeed): SeededRooms {
  using database = new Database(file, { strict: true })
  const log = database
    .query<{ epoch: string; head: number }, []>(
      `select incarnation as epoch, (select coalesce(max(sequence), 0) from messages) as head from message_log`,
    )
    .get()
  if (!log) throw new Error('The database has no message log')
  const message = createMessages(log.epoch)
  const first = log.head + 1
  const seeded = rooms.map((members, index) => ({ id: Bun.randomUUIDv7(), number: first + index, members }))
  const insertRoom = database.prepare(
    `insert into rooms (number, id, name, public, history, created_by) values (?, ?, 'Room', 0, 'joined', ?)`,
  )
  const insertMember = database.prepare(
    'insert into memberships (user_id, room, from_sequence, through_sequence, role) values (?, ?, ?, ?, ?)',
  )
  const insertEntry = database.prepare(
    `insert into entries (sequence, room, kind, user_id, sent_at, frame) values (?, ?, 'message', ?, ?, ?)`,
  )
  database.transaction(() => {
    for (const { number, id, members } of seeded) {
      insertRoom.run(number, id, members[0]?.id ?? '')
      for (const [index, { id: userId }] of members.entries())
        insertMember.run(userId, number, number, openEnd, index === 0 ? 'owner' : 'member')
    }
    for (let index = 0; index < messages; index += 1) {
      const room = seeded[index % seeded.length]
      const author = room?.members[0]
      if (!room || !author) throw new Error('A room has no members')
      const sequence = first + rooms.length + index
      const { sentAt, frame } = message(sequence, room.id, author)
      insertEntry.run(sequence, room.number, author.id, sentAt, frame)
    }
  })()
  const head = first + rooms.length + messages - 1
  return {
    ids: seeded.map(({ id }) => id),
    cursor: (missed) => createMessageIds(log.epoch).encode(head - missed),
  }
}

function createMessages(epoch: string) {
  const ids = createMessageIds(epoch)
  const sentAt = Date.now()
  const text = new Date(sentAt).toISOString()
  return (sequence: number, room: string, user: Account) => ({
    sentAt,
    frame: JSON.stringify({
      event: 'message',
      id: ids.encode(sequence),
      room,
      message: 'Hello, world!',
      user,
      sentAt: text,
    }),
  })
}
