import type { SQL } from 'bun'
import { type ProblemCode, ProblemError } from '../contract/problems.ts'
import type { RoomChange, RoomChangeResult } from '../rooms/room-changes.ts'
import type { EntryWriter, NewEntry } from '../rooms/room-events.ts'
import { createRoomRules } from '../rooms/room-rules.ts'
import { runStepsAsynchronously } from '../rooms/room-steps.ts'
import { createPostgresRoomStore, type PostgresRoomStore } from '../rooms/room-store.postgres.ts'
import { queryRows } from '../storage/postgres/rows.ts'
import { readEntriesBetween } from './entry-statements.postgres.ts'
import type { LogRow } from './log-rows.postgres.ts'

/** Changes of rooms that are durable, except those that were refused. */
export interface StoredChanges {
  readonly previous: number
  readonly head: number
  /** In the order of the log. */
  readonly entries: readonly LogRow[]
  /** The outcome of each change. */
  readonly outcomes: readonly (RoomChangeResult | ProblemError)[]
}

/** An outcome as it is recorded, for a batch whose response was lost. */
type RecordedOutcome =
  | { readonly result: RoomChangeResult }
  | { readonly code: ProblemCode; readonly options: ProblemError['options'] }

const toRecord = (outcome: RoomChangeResult | ProblemError): RecordedOutcome =>
  outcome instanceof ProblemError ? { code: outcome.code, options: outcome.options } : { result: outcome }

const fromRecord = (recorded: RecordedOutcome): RoomChangeResult | ProblemError =>
  'code' in recorded ? new ProblemError(recorded.code, recorded.options) : recorded.result

interface BatchPlace {
  readonly previous: number
  /** Null if the batch was not stored before. */
  readonly head: number | null
  readonly sentAt: number
  readonly result: string | null
}

/** The other nodes wait for the lock, so a node that stops in the middle of a change must not hold it for long. */
const maxIdleMs = 1000

async function beginBatch(sql: SQL, session: string, number: number): Promise<BatchPlace> {
  const [, [place]] = await Promise.all([
    // As in append_batch: a plan that is made while a table is small would otherwise scan it for ever.
    queryRows(
      sql,
      `select set_config('idle_in_transaction_session_timeout', '${maxIdleMs}', true),
         set_config('enable_seqscan', 'off', true)`,
    ),
    queryRows<BatchPlace>(
      sql,
      `select b.previous::float8 as previous, b.head::float8 as head, b.sent_at::float8 as "sentAt", b.result
       from parley.begin_batch($1, $2::bigint) b`,
      [session, number],
    ),
  ])
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

/** Applies one change. A refused one has written nothing. @throws any other error, which fails the transaction */
async function apply(store: PostgresRoomStore, change: RoomChange, writer: EntryWriter) {
  try {
    return await runStepsAsynchronously(createRoomRules(store)(change, writer))
  } catch (error) {
    if (error instanceof ProblemError) return error
    throw error
  }
}

/**
 * Applies changes of rooms in one transaction, under the lock of the log: the order of the commits is the order of the
 * sequences. A batch whose number was stored before is not applied again.
 */
export function storeChanges(
  client: SQL,
  [session, number]: readonly [session: string, number: number],
  changes: readonly RoomChange[],
): Promise<StoredChanges> {
  return client.begin(async (sql): Promise<StoredChanges> => {
    const place = await beginBatch(sql, session, number)
    const { previous, head: recordedHead, sentAt } = place
    if (recordedHead !== null) {
      const entries = await readEntriesBetween(sql, previous, recordedHead)
      const recorded = JSON.parse(place.result ?? '[]') as RecordedOutcome[]
      return { previous, head: recordedHead, entries, outcomes: recorded.map(fromRecord) }
    }
    const store = createPostgresRoomStore(sql)
    const entries: LogRow[] = []
    const writer: EntryWriter = {
      next: () => previous + entries.length + 1,
      add: (entry) => void entries.push(toRow(entry, previous + entries.length + 1, sentAt)),
    }
    const outcomes = await store.during(async () => {
      const decided: (RoomChangeResult | ProblemError)[] = []
      for (const change of changes) decided.push(await apply(store, change, writer))
      return decided
    })
    const head = previous + entries.length
    const result = JSON.stringify(outcomes.map(toRecord))
    await Promise.all([
      entries.length > 0 && insertEntries(sql, entries),
      queryRows(
        sql,
        `select parley.finish_batch($1, $2::bigint, $3::bigint, $4::bigint, $5::bigint, '{}', null, $6)`,
        [session, number, previous, head, sentAt, result],
      ),
    ])
    return { previous, head, entries, outcomes }
  })
}
