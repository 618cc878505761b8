import type { SQL } from 'bun'

/** The values of one row in the order of the columns, as text. */
export type MovedRow = readonly (string | null)[]

export interface MovedTable {
  readonly name: string
  /** The columns and their types. The first ones are the key. */
  readonly columns: readonly (readonly [name: string, type: string])[]
  /** The number of columns of the key; 1 by default. */
  readonly keys?: number
}

/** The rows of one statement: enough to hide the round trip, and at most a few megabytes. */
const batchSize = 1000

interface Digest {
  readonly rows: number
  /** SHA-256 of all rows in the order of their keys. */
  readonly checksum: string
}

function createDigest() {
  const hasher = new Bun.CryptoHasher('sha256')
  let rows = 0
  return {
    add(row: MovedRow): void {
      rows++
      hasher.update(`${JSON.stringify(row)}\n`)
    },
    finish: (): Digest => ({ rows, checksum: hasher.digest('hex') }),
  }
}

function* inBatches<Item>(items: Iterable<Item>): Generator<Item[]> {
  let batch: Item[] = []
  for (const item of items) {
    batch.push(item)
    if (batch.length < batchSize) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

async function insertRows(
  sql: SQL,
  { name, columns }: MovedTable,
  rows: Iterable<MovedRow>,
): Promise<Digest> {
  const names = columns.map(([column]) => column)
  const statement =
    `insert into parley.${name} (${names.join(', ')}) ` +
    `select ${columns.map(([column, type]) => `${column}::${type}`).join(', ')} ` +
    `from unnest(${names.map((_, index) => `$${index + 1}::text[]`).join(', ')}) as x (${names.join(', ')})`
  const digest = createDigest()
  for (const batch of inBatches(rows)) {
    for (const row of batch) digest.add(row)
    await sql.unsafe(
      statement,
      names.map((_, index) => batch.map((row) => row[index] ?? null)),
    )
  }
  return digest.finish()
}

async function readBack(sql: SQL, { name, columns, keys = 1 }: MovedTable): Promise<Digest> {
  const key = columns.slice(0, keys)
  // The order of SQLite is that of the bytes.
  const order = key
    .map(([column, type]) => (type === 'text' ? `t.${column} collate "C"` : `t.${column}`))
    .join(', ')
  const place = key.map(([, type], index) => `$${index + 1}::text::${type}`).join(', ')
  const selected = columns.map(([column]) => `t.${column}::text`).join(', ')
  const digest = createDigest()
  let last: MovedRow | undefined
  for (;;) {
    const following = last ? `where (${order}) > (${place})` : ''
    const rows = (await sql
      .unsafe(
        `select ${selected} from parley.${name} t ${following} order by ${order} limit ${batchSize}`,
        last ? last.slice(0, keys) : [],
      )
      .values()) as unknown as MovedRow[]
    for (const row of rows) digest.add(row)
    last = rows.at(-1)
    if (rows.length < batchSize) return digest.finish()
  }
}

/**
 * Inserts rows into an empty table in batches, then reads the table and compares.
 *
 * @param rows in the order of their keys
 * @throws Error if the table does not contain exactly these rows
 */
export async function moveRows(sql: SQL, table: MovedTable, rows: Iterable<MovedRow>): Promise<Digest> {
  const inserted = await insertRows(sql, table, rows)
  const stored = await readBack(sql, table)
  if (stored.rows === inserted.rows && stored.checksum === inserted.checksum) return stored
  throw new Error(
    `The table ${table.name} has ${stored.rows} rows with the checksum ${stored.checksum}, instead of ` +
      `${inserted.rows} with ${inserted.checksum}. Nothing was moved`,
  )
}
