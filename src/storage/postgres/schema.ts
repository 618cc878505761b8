import { sql } from 'drizzle-orm'
import { bigint, boolean, check, index, integer, pgSchema, text, uniqueIndex } from 'drizzle-orm/pg-core'

/** All tables are in one schema, so that the database can also contain others. */
export const schemaName = 'parley'
const parley = pgSchema(schemaName)

/** A 64-bit integer that is at most `Number.MAX_SAFE_INTEGER`. */
const integer64 = (name: string) => bigint(name, { mode: 'number' })

export const users = parley.table(
  'users',
  {
    id: text('id').primaryKey(),
    username: text('username').notNull(),
    passwordHash: text('password_hash').notNull(),
    /** Milliseconds since the epoch. */
    createdAt: integer64('created_at').notNull(),
    /** Tokens that contain another value are revoked. Milliseconds since the epoch; 0 until the first revocation. */
    tokensValidFrom: integer64('tokens_valid_from').notNull().default(0),
    /** Milliseconds since the epoch. The row of a removed account reserves its username. */
    removedAt: integer64('removed_at'),
    /** Whether the messages of a removed account are still to be erased. An interrupted erasure continues. */
    erasesMessages: boolean('erases_messages').notNull().default(false),
    /** Whether the user of a removed account is still to leave all rooms. */
    leavesRooms: boolean('leaves_rooms').notNull().default(false),
  },
  // Usernames are ASCII. In the collation "C", lower() changes only ASCII letters, as in SQLite.
  (table) => [
    uniqueIndex('users_username_unique').on(sql`lower(${table.username} collate "C")`),
    index('users_erases_messages').on(table.id).where(sql`${table.erasesMessages}`),
    index('users_leaves_rooms').on(table.id).where(sql`${table.leavesRooms}`),
  ],
)

/** Tokens that were revoked one by one, until they would have expired. */
export const revokedTokens = parley.table(
  'revoked_tokens',
  {
    /** The `jti` of the token. */
    id: text('id').primaryKey(),
    /** Seconds since the epoch. */
    expiresAt: integer64('expires_at').notNull(),
  },
  (table) => [index('revoked_tokens_expires_at').on(table.expiresAt)],
)

/** One row: the state of the log that does not depend on stored messages. */
export const messageLog = parley.table(
  'message_log',
  {
    id: integer('id').primaryKey(),
    epoch: text('epoch').notNull(),
    /** Where the log was when its epoch began; see `log_origin` in the migration. */
    origin: text('origin'),
    /** Every sequence up to this one has been removed. Sequences are never reused. */
    trimmedThrough: integer64('trimmed_through').notNull().default(0),
    /** The highest sequence among all messages that were deleted. It must not be reused, either. */
    removedThrough: integer64('removed_through').notNull().default(0),
    /** Memberships that ended up to this sequence were deleted, together with all of their entries. */
    forgottenThrough: integer64('forgotten_through').notNull().default(0),
  },
  (table) => [check('message_log_one_row', sql`${table.id} = 1`)],
)
