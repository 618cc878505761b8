import type { Database as Sqlite } from 'bun:sqlite'
import type { SQL } from 'bun'
import { getTableColumns } from 'drizzle-orm'
import { toFrame } from './chats/log-rows.postgres.ts'
import { createEpoch, createMessageIds } from './chats/message-ids.ts'
import { parseFrame } from './chats/message-log.ts'
import { UnusableStorage } from './storage/errors.ts'
import { withServer } from './storage/postgres/connection.ts'
import { requireEmpty } from './storage/postgres/empty-database.ts'
import { migrateWithin } from './storage/postgres/migrations.ts'
import { type MovedRow, type MovedTable, moveRows } from './storage/postgres/moved-rows.ts'
import { revokedTokens, users } from './storage/postgres/schema.ts'
import { readStoppedSqlite } from './storage/sqlite/connection.ts'

interface LogState {
  readonly epoch: string
  readonly trimmedThrough: number
  readonly removedThrough: number
  readonly forgottenThrough: number
}

interface StoredRow {
  readonly sequence: number
  readonly userId: string
  readonly idempotencyKey: string | null
  readonly sentAt: number
  readonly frame: string
}

/** Both engines give these tables the same names and columns. */
const sameTables: readonly MovedTable[] = Object.entries({ users, revoked_tokens: revokedTokens }).map(
  ([name, table]) => ({
    name,
    columns: Object.values(getTableColumns(table)).map(
      (column) => [column.name, column.getSQLType()] as const,
    ),
  }),
)

const messagesTable: MovedTable = {
  name: 'messages',
  columns: [
    ['sequence', 'bigint'],
    ['user_id', 'text'],
    ['username', 'text'],
    ['idempotency_key', 'text'],
    ['sent_at', 'bigint'],
    ['message', 'text'],
  ],
}

function* readTable(sqlite: Sqlite, { name, columns, keys = 1 }: MovedTable): Generator<MovedRow> {
  const names = columns.map(([column]) => column).join(', ')
  const order = columns
    .slice(0, keys)
    .map(([column]) => column)
    .join(', ')
  const toText = (value: unknown, type: string | undefined) => {
    if (value === null) return null
    return type === 'boolean' ? String(value !== 0) : String(value)
  }
  const rows = sqlite.prepare<Record<string, unknown>, []>(`select ${names} from ${name} order by ${order}`)
  for (const row of rows.iterate()) yield columns.map(([column, type]) => toText(row[column], type))
}

/** @throws UnusableStorage if PostgreSQL would broadcast another frame */
function* readMessages(sqlite: Sqlite, epoch: string): Generator<MovedRow> {
  const { encode } = createMessageIds(epoch)
  const rows = sqlite.prepare<StoredRow, []>(
    `select sequence, user_id as userId, idempotency_key as idempotencyKey, sent_at as sentAt, frame
     from messages order by sequence`,
  )
  for (const { sequence, userId, idempotencyKey, sentAt, frame } of rows.iterate()) {
    const { message: text, user } = parseFrame(frame)
    const { username } = user
    const body = JSON.stringify(text)
    const moved = toFrame({ sequence, userId, username, idempotencyKey, sentAt, body }, encode(sequence))
    if (moved !== frame && !Bun.deepEquals(JSON.parse(moved), JSON.parse(frame))) {
      throw new UnusableStorage(
        `DATA_DIR: the message ${encode(sequence)} differs from what its columns say. Nothing was moved.`,
      )
    }
    yield [String(sequence), userId, username, idempotencyKey, String(sentAt), body]
  }
}

const readState = (sqlite: Sqlite): LogState =>
  sqlite
    .query<LogState, []>(
      `select incarnation as epoch, trimmed_through as trimmedThrough, removed_through as removedThrough,
         forgotten_through as forgottenThrough
       from message_log`,
    )
    .get() ?? { epoch: createEpoch(), trimmedThrough: 0, removedThrough: 0, forgottenThrough: 0 }

const entriesTable: MovedTable = {
  name: 'entries',
  columns: [
    ['sequence', 'bigint'],
    ['room', 'bigint'],
    ['audience', 'text'],
    ['kind', 'text'],
    ['user_id', 'text'],
    ['idempotency_key', 'text'],
    ['sent_at', 'bigint'],
    ['body', 'text'],
  ],
}

interface StoredEntry extends StoredRow {
  readonly room: number
  readonly audience: string | null
  readonly kind: string
}

/** @throws UnusableStorage if PostgreSQL would deliver another frame */
function* readEntries(sqlite: Sqlite, epoch: string): Generator<MovedRow> {
  const { encode } = createMessageIds(epoch)
  const rows = sqlite.prepare<StoredEntry, []>(
    `select sequence, room, audience, kind, user_id as userId, idempotency_key as idempotencyKey, sent_at as sentAt,
       frame
     from entries order by sequence`,
  )
  for (const { frame, room, audience, kind, ...row } of rows.iterate()) {
    const { event: _, id, sentAt: __, idempotencyKey: ___, ...rest } = JSON.parse(frame)
    const body = JSON.stringify(rest).slice(1, -1)
    const entry = { room, audience, kind }
    const moved = toFrame({ ...row, username: null, body, entry }, encode(row.sequence))
    if (moved !== frame && !Bun.deepEquals(JSON.parse(moved), JSON.parse(frame))) {
      throw new UnusableStorage(
        `DATA_DIR: the entry ${id} differs from what its columns say. Nothing was moved.`,
      )
    }
    const { sequence, userId, idempotencyKey, sentAt } = row
    yield [String(sequence), String(room), audience, kind, userId, idempotencyKey, String(sentAt), body]
  }
}

const roomsTable: MovedTable = {
  name: 'rooms',
  columns: [
    ['number', 'bigint'],
    ['id', 'text'],
    ['name', 'text'],
    ['public', 'boolean'],
    ['history', 'text'],
    ['direct_pair', 'text'],
    ['created_by', 'text'],
    ['idempotency_key', 'text'],
    ['request', 'text'],
    ['trimmed_through', 'bigint'],
    ['ended_at', 'bigint'],
  ],
}

/** PostgreSQL stores the names as JSON. */
function* readRooms(sqlite: Sqlite): Generator<MovedRow> {
  for (const row of readTable(sqlite, roomsTable)) {
    yield row.map((value, index) => (index === 2 ? JSON.stringify(value) : value))
  }
}

const membershipsTable: MovedTable = {
  name: 'memberships',
  columns: [
    ['user_id', 'text'],
    ['room', 'bigint'],
    ['from_sequence', 'bigint'],
    ['through_sequence', 'bigint'],
    ['role', 'text'],
  ],
  keys: 3,
}

interface StoredRequest {
  readonly id: number
  readonly request: string
}

/** Hands the requests of commands to the nodes. */
async function moveRequests(sqlite: Sqlite, sql: SQL): Promise<void> {
  for (const { request } of sqlite
    .query<StoredRequest, []>('select id, request from room_requests order by id')
    .all()) {
    const keyed = JSON.stringify({ ...JSON.parse(request), key: crypto.randomUUID() })
    await sql`insert into parley.room_requests (request) values (${keyed})`
  }
}

export interface Moved {
  /** The numbers of rows, and their SHA-256, by table. */
  readonly tables: Readonly<Record<string, { readonly rows: number; readonly checksum: string }>>
}

async function copy(sqlite: Sqlite, sql: SQL): Promise<Moved> {
  const { epoch, trimmedThrough, removedThrough, forgottenThrough } = readState(sqlite)
  await migrateWithin(sql, epoch)
  await requireEmpty(sql)
  const tables: Record<string, { rows: number; checksum: string }> = {}
  for (const table of sameTables) tables[table.name] = await moveRows(sql, table, readTable(sqlite, table))
  tables.messages = await moveRows(sql, messagesTable, readMessages(sqlite, epoch))
  tables.rooms = await moveRows(sql, roomsTable, readRooms(sqlite))
  tables.memberships = await moveRows(sql, membershipsTable, readTable(sqlite, membershipsTable))
  tables.entries = await moveRows(sql, entriesTable, readEntries(sqlite, epoch))
  await moveRequests(sqlite, sql)
  await sql`
    update parley.message_log
    set epoch = ${epoch}, trimmed_through = ${trimmedThrough}, removed_through = ${removedThrough},
      forgotten_through = ${forgottenThrough}`
  return { tables }
}

/**
 * Copies everything from the SQLite database in `dataDir` into the empty database at `url`, in one transaction. The
 * ids of messages, and so the cursors of clients, remain valid.
 *
 * @throws UnusableStorage if the folder is in use, either database is not usable, or the target is not empty
 */
export async function moveToPostgres(dataDir: string, url: string): Promise<Moved> {
  return readStoppedSqlite(dataDir, async (sqlite) => {
    // One snapshot of all tables, while commands may change them.
    sqlite.run('begin')
    let moved: Moved | undefined
    await withServer(url, async (client) => {
      moved = await client.begin((sql) => copy(sqlite, sql))
      await client`analyze parley.users, parley.messages, parley.rooms, parley.memberships, parley.entries`
    })
    return moved as Moved
  })
}
