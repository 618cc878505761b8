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

function* readTable(sqlite: Sqlite, { name, columns }: MovedTable): Generator<MovedRow> {
  const names = columns.map(([column]) => column).join(', ')
  const [[key] = ['']] = columns
  const toText = (value: unknown, type: string | undefined) => {
    if (value === null) return null
    return type === 'boolean' ? String(value !== 0) : String(value)
  }
  const rows = sqlite.prepare<Record<string, unknown>, []>(`select ${names} from ${name} order by ${key}`)
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
      `select incarnation as epoch, trimmed_through as trimmedThrough, removed_through as removedThrough
       from message_log`,
    )
    .get() ?? { epoch: createEpoch(), trimmedThrough: 0, removedThrough: 0 }

/** @throws UnusableStorage if the database has rooms, which would be lost */
function requireNoRooms(sqlite: Sqlite): void {
  if (sqlite.query('select 1 from rooms limit 1').get() === null) return
  throw new UnusableStorage(
    'DATA_DIR: the database has rooms, which cannot be moved to PostgreSQL yet. Nothing was moved.',
  )
}

export interface Moved {
  /** The numbers of rows, and their SHA-256, by table. */
  readonly tables: Readonly<Record<string, { readonly rows: number; readonly checksum: string }>>
}

async function copy(sqlite: Sqlite, sql: SQL): Promise<Moved> {
  const { epoch, trimmedThrough, removedThrough } = readState(sqlite)
  await migrateWithin(sql, epoch)
  await requireEmpty(sql)
  const tables: Record<string, { rows: number; checksum: string }> = {}
  for (const table of sameTables) tables[table.name] = await moveRows(sql, table, readTable(sqlite, table))
  tables.messages = await moveRows(sql, messagesTable, readMessages(sqlite, epoch))
  await sql`
    update parley.message_log
    set epoch = ${epoch}, trimmed_through = ${trimmedThrough}, removed_through = ${removedThrough}`
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
    requireNoRooms(sqlite)
    // One snapshot of all tables, while commands may change them.
    sqlite.run('begin')
    let moved: Moved | undefined
    await withServer(url, async (client) => {
      moved = await client.begin((sql) => copy(sqlite, sql))
      await client`analyze parley.users, parley.messages`
    })
    return moved as Moved
  })
}
