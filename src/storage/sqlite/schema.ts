import { sql } from 'drizzle-orm'
import { check, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'

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
    /** Whether the user of a removed account is still to leave all rooms. */
    leavesRooms: integer('leaves_rooms', { mode: 'boolean' }).notNull().default(false),
  },
  // SQLite's lower() handles ASCII only, which suffices: usernames are ASCII.
  (table) => [
    uniqueIndex('users_username_unique').on(sql`lower(${table.username})`),
    index('users_erases_messages').on(table.id).where(sql`${table.erasesMessages}`),
    index('users_leaves_rooms').on(table.id).where(sql`${table.leavesRooms}`),
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
    /** Memberships that ended up to this sequence were deleted, together with all of their entries. */
    forgottenThrough: integer('forgotten_through').notNull().default(0),
  },
  (table) => [check('message_log_one_row', sql`${table.id} = 1`)],
)

/** The `throughSequence` of a membership that has not ended. */
export const openEnd = Number.MAX_SAFE_INTEGER

export const rooms = sqliteTable(
  'rooms',
  {
    /** The sequence of the first entry, so that it is never assigned again. */
    number: integer('number').primaryKey(),
    id: text('id').notNull(),
    name: text('name').notNull(),
    public: integer('public', { mode: 'boolean' }).notNull(),
    history: text('history', { enum: ['all', 'joined'] }).notNull(),
    /** Both user ids of a direct room. */
    directPair: text('direct_pair'),
    createdBy: text('created_by').notNull(),
    idempotencyKey: text('idempotency_key'),
    /** The request that came with the key, so that another one can be recognised. */
    request: text('request'),
    /** The highest sequence of the entries that the retention limits have removed. */
    trimmedThrough: integer('trimmed_through').notNull().default(0),
    /** Set once the room is removed: its last sequence. The row is deleted with the last entry. */
    endedAt: integer('ended_at'),
  },
  (table) => [
    uniqueIndex('rooms_id_unique').on(table.id),
    uniqueIndex('rooms_direct_pair_unique').on(table.directPair).where(sql`${table.directPair} is not null`),
    uniqueIndex('rooms_idempotency_key_unique')
      .on(table.createdBy, table.idempotencyKey)
      .where(sql`${table.idempotencyKey} is not null`),
    index('rooms_public').on(table.id).where(sql`${table.public} and ${table.endedAt} is null`),
    index('rooms_ended').on(table.number).where(sql`${table.endedAt} is not null`),
  ],
)

/** The messages and events of rooms. They share the sequences of `messages`. */
export const entries = sqliteTable(
  'entries',
  {
    sequence: integer('sequence').primaryKey(),
    room: integer('room').notNull(),
    /** The only user who receives the entry; null for all members. */
    audience: text('audience'),
    kind: text('kind', { enum: ['message', 'joined', 'left', 'room-changed', 'room-removed'] }).notNull(),
    /** The author of a message, or the user whom an event concerns. */
    userId: text('user_id'),
    idempotencyKey: text('idempotency_key'),
    /** Milliseconds since the epoch. */
    sentAt: integer('sent_at').notNull(),
    frame: text('frame').notNull(),
  },
  (table) => [
    index('entries_room').on(table.room, table.sequence),
    uniqueIndex('entries_idempotency_key_unique')
      .on(table.userId, table.room, table.idempotencyKey)
      .where(sql`${table.idempotencyKey} is not null`),
  ],
)

/** The times when users are members of rooms, in sequences of the log; both ends are included. */
export const memberships = sqliteTable(
  'memberships',
  {
    userId: text('user_id').notNull(),
    room: integer('room').notNull(),
    fromSequence: integer('from_sequence').notNull(),
    throughSequence: integer('through_sequence').notNull(),
    role: text('role', { enum: ['owner', 'member'] }).notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.userId, table.room, table.fromSequence] }),
    index('memberships_room').on(table.room, table.throughSequence, table.userId),
  ],
)

/** Changes of rooms that commands have requested. The service carries them out in this order. */
export const roomRequests = sqliteTable('room_requests', {
  id: integer('id').primaryKey(),
  /** JSON. */
  request: text('request').notNull(),
})
