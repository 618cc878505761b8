import { sql } from 'drizzle-orm'
import { check, index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'

export const users = sqliteTable(
  'users',
  {
    id: text('id').primaryKey(),
    username: text('username').notNull(),
    passwordHash: text('password_hash').notNull(),
    /** Milliseconds since the epoch. */
    createdAt: integer('created_at').notNull(),
    /** Tokens that contain another value are revoked. Milliseconds since the epoch; 0 until the first revocation. */
    tokensValidFrom: integer('tokens_valid_from').notNull().default(0),
    /** Milliseconds since the epoch. The row of a removed account reserves its username. */
    removedAt: integer('removed_at'),
    /** Whether the messages of a removed account are still to be erased. An interrupted erasure continues. */
    erasesMessages: integer('erases_messages', { mode: 'boolean' }).notNull().default(false),
  },
  // SQLite's lower() handles ASCII only, which suffices: usernames are ASCII.
  (table) => [
    uniqueIndex('users_username_unique').on(sql`lower(${table.username})`),
    index('users_erases_messages').on(table.id).where(sql`${table.erasesMessages}`),
  ],
)

/** Tokens that were revoked one by one, until they would have expired. */
export const revokedTokens = sqliteTable(
  'revoked_tokens',
  {
    /** The `jti` of the token. */
    id: text('id').primaryKey(),
    /** Seconds since the epoch. */
    expiresAt: integer('expires_at').notNull(),
  },
  (table) => [index('revoked_tokens_expires_at').on(table.expiresAt)],
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
    /** The highest sequence among the messages that were removed one by one. It must not be reused, either. */
    removedThrough: integer('removed_through').notNull().default(0),
  },
  (table) => [check('message_log_one_row', sql`${table.id} = 1`)],
)
