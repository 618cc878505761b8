// Inserts accounts and messages in bulk into a Parley database. The server must be stopped.

import { Database } from 'bun:sqlite'
import { createPasswords } from '../src/auth/passwords.ts'
import { createMessageIds } from '../src/chats/message-ids.ts'

/** The creation time of the first account. Each further account is one millisecond later. */
const firstIdMs = Date.UTC(2026, 0, 1)

const messagesPerTransaction = 100_000

export interface Account {
  id: string
  username: string
}

/** Hashes with the server's own parameters. With other parameters, the server would rehash at each login. */
export const hashPassword = (password: string) => createPasswords({ concurrency: 1 }).hash(password)

/** Inserts accounts that all have the same password. */
export async function seedAccounts(file: string, count: number, password: string): Promise<Account[]> {
  const hash = await hashPassword(password)
  const accounts = Array.from({ length: count }, (_, index) => ({
    id: Bun.randomUUIDv7('hex', firstIdMs + index),
    username: `bench.user-${index}`,
  }))
  using database = new Database(file, { strict: true })
  const insert = database.prepare(
    'insert into users (id, username, password_hash, created_at) values ($id, $username, $hash, $at)',
  )
  database.transaction(() => {
    for (const [index, account] of accounts.entries()) insert.run({ ...account, hash, at: firstIdMs + index })
  })()
  return accounts
}

/** Inserts messages without idempotency keys. The newest message has the current time. */
export function seedMessages(file: string, count: number) {
  if (count === 0) return
  using database = new Database(file, { strict: true })
  const log = database.query<{ incarnation: string }, []>('select incarnation from message_log').get()
  const author = database.query<{ id: string; username: string }, []>('select id, username from users').get()
  if (!log || !author) throw new Error('The database has no message log or no account')
  const insert = database.prepare(
    'insert into messages (sequence, user_id, sent_at, frame) values ($sequence, $userId, $at, $frame)',
  )
  const ids = createMessageIds(log.incarnation)
  const now = Date.now()
  const insertRange = database.transaction((from: number, to: number) => {
    for (let sequence = from; sequence <= to; sequence += 1) {
      const at = now - (count - sequence)
      const frame = {
        event: 'message',
        id: ids.encode(sequence),
        message: 'Hello, world!',
        user: author,
        sentAt: new Date(at).toISOString(),
      }
      insert.run({ sequence, userId: author.id, at, frame: JSON.stringify(frame) })
    }
  })
  // The write-ahead log grows with a transaction, so that one for ten million messages would take gigabytes twice.
  for (let from = 1; from <= count; from += messagesPerTransaction)
    insertRange(from, Math.min(count, from + messagesPerTransaction - 1))
}
