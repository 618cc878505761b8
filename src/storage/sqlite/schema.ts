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
  // SQLite's lower() handles ASCII only, which suffices: usernames are ASCII.
  (table) => [uniqueIndex('users_username_unique').on(sql`lower(${table.username})`)],
)

/**
 * The message log. There is no foreign key to `users`: messages outlive their authors, and a removed
 * account must not fail a commit that contains messages of other users.
 */
export const messages = sqliteTable(
  'messages',
  {
    sequence: integer('sequence').primaryKey(),
    userId: text('user_id').notNull(),
    idempotencyKey: text('idempotency_key'),
    /** Milliseconds since the epoch. */
    sentAt: integer('sent_at').notNull(),
    /** The broadcast frame, so that a client that resumes receives the same bytes as all others. */
    frame: text('frame').notNull(),
  },
  (table) => [
    uniqueIndex('messages_idempotency_key_unique')
      .on(table.userId, table.idempotencyKey)
      .where(sql`${table.idempotencyKey} is not null`),
  ],
)

/** One row: the state of the log that does not depend on stored messages. */
export const messageLog = sqliteTable(
  'message_log',
  {
    id: integer('id').primaryKey(),
    /** The column keeps the name that it was released with. */
    epoch: text('incarnation').notNull(),
    /** Every sequence up to this one has been removed. Sequences are never reused. */
    trimmedThrough: integer('trimmed_through').notNull(),
  },
  (table) => [check('message_log_one_row', sql`${table.id} = 1`)],
)
