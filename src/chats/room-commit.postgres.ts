import type { SQL } from 'bun'
import type { RoomChange, RoomChangeResult } from '../rooms/room-changes.ts'
import type { NewEntry } from '../rooms/room-events.ts'
import { createRoomRules } from '../rooms/room-rules.ts'
import { runStepsAsynchronously } from '../rooms/room-steps.ts'
import { createPostgresRoomStore } from '../rooms/room-store.postgres.ts'
import { queryRows } from '../storage/postgres/rows.ts'
import { readEntriesBetween } from './entry-statements.postgres.ts'
import type { LogRow } from './log-rows.postgres.ts'

/** A change of rooms that is durable. */
export interface StoredChange {
  readonly previous: number
  readonly head: number
  /** In the order of the log. */
  readonly entries: readonly LogRow[]
  readonly result: RoomChangeResult
}

interface BatchPlace {
  readonly recorded: boolean
  readonly previous: number
  readonly head: number | null
  readonly sentAt: number
  readonly result: string | null
}

/** The other nodes wait for the lock, so a node that stops in the middle of a change must not hold it for long. */
const maxIdleMs = 1000

async function beginBatch(sql: SQL, session: string, number: number): Promise<BatchPlace> {
  const [place] = await queryRows<BatchPlace>(
    sql,
    `select b.is_recorded as recorded, b.previous::float8 as previous, b.head::float8 as head,
       b.sent_at::float8 as "sentAt", b.result
     from parley.begin_batch($1, $2::bigint) b`,
    [session, number],
  )
  if (!place) throw new Error('begin_batch returned nothing')
  return place
}

function toRow({ room, audience, event, userId }: NewEntry, sequence: number, sentAt: number): LogRow {
  const { event: kind, ...rest } = event
  return {
    sequence,
    userId,
    username: null,
    idempotencyKey: null,
    sentAt,
    body: JSON.stringify(rest).slice(1, -1),
    entry: { room, audience: audience ?? null, kind },
  }
}

const insertEntries = (sql: SQL, rows: readonly LogRow[]) =>
  queryRows(
    sql,
    `insert into parley.entries (sequence, room, audience, kind, user_id, sent_at, body)
     select * from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[])`,
    [
      rows.map(({ sequence }) => sequence),
      rows.map(({ entry }) => entry?.room),
      rows.map(({ entry }) => entry?.audience ?? null),
      rows.map(({ entry }) => entry?.kind),
      rows.map(({ userId }) => userId),
      rows.map(({ sentAt }) => sentAt),
      rows.map(({ body }) => body),
    ],
  )

/**
 * Applies a change of rooms in one transaction, under the lock of the log: the order of the commits is the order of the
 * sequences. A change whose number was stored before is not applied again.
 *
 * @throws ProblemError if the change is refused; then nothing was written
 */
export function storeChange(
  client: SQL,
  [session, number]: readonly [session: string, number: number],
  change: RoomChange,
): Promise<StoredChange> {
  return client.begin(async (sql): Promise<StoredChange> => {
    await queryRows(sql, `set local idle_in_transaction_session_timeout = ${maxIdleMs}`)
    const place = await beginBatch(sql, session, number)
    const { previous, sentAt } = place
    if (place.recorded) {
      const head = place.head ?? previous
      const entries = await readEntriesBetween(sql, previous, head)
      return { previous, head, entries, result: JSON.parse(place.result ?? '{}') as RoomChangeResult }
    }
    const store = createPostgresRoomStore(sql)
    const entries: LogRow[] = []
    const writer = {
      next: () => previous + entries.length + 1,
      add: (entry: NewEntry) => void entries.push(toRow(entry, previous + entries.length + 1, sentAt)),
    }
    const result = await store.during(() => runStepsAsynchronously(createRoomRules(store)(change, writer)))
    if (entries.length > 0) await insertEntries(sql, entries)
    const head = previous + entries.length
    await queryRows(
      sql,
      `select parley.finish_batch($1, $2::bigint, $3::bigint, $4::bigint, $5::bigint, '{}', null, $6)`,
      [session, number, previous, head, sentAt, JSON.stringify(result)],
    )
    return { previous, head, entries, result }
  })
}
