import { sql } from 'drizzle-orm'
import { check, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'

export const users = sqliteTable(
  'users',
  {
    id: text('id').primaryKey(),
    username: text('username').notNull(),
    passwordHash: text('password_hash').notNull(),
    /** Milliseconds since the epoch. */
    createdAt: integer('created_at').notNull(),
  },
  // Usernames are ASCII, so that lower() of SQLite, which knows nothing else, suffices.
  (table) => [uniqueIndex('users_username_unique').on(sql`lower(${table.username})`)],
)

/**
 * The message log. There is no foreign key to `users`: the log outlives its authors, and one removed
 * account must not fail the commit that its last message shares with others.
 */
export const messages = sqliteTable(
  'messages',
  {
    sequence: integer('sequence').primaryKey(),
    userId: text('user_id').notNull(),
    idempotencyKey: text('idempotency_key'),
    /** Milliseconds since the epoch. */
    sentAt: integer('sent_at').notNull(),
    /** The broadcast frame, so that a resumed client gets the bytes that the others got. */
    frame: text('frame').notNull(),
  },
  (table) => [
    uniqueIndex('messages_idempotency_key_unique')
      .on(table.userId, table.idempotencyKey)
      .where(sql`${table.idempotencyKey} is not null`),
  ],
)

/** One row: what the log has to know even when it holds no message. */
export const messageLog = sqliteTable(
  'message_log',
  {
    id: integer('id').primaryKey(),
    incarnation: text('incarnation').notNull(),
    /** Every sequence up to this one has been removed; no sequence is given twice. */
    trimmedThrough: integer('trimmed_through').notNull(),
  },
  (table) => [check('message_log_one_row', sql`${table.id} = 1`)],
)
