import type { LogMetrics } from '../metrics/metrics.ts'
import type { RoomChange, RoomChangeResult } from '../rooms/room-changes.ts'
import { StorageUnavailable } from '../storage/errors.ts'
import { failureKind, sqlState } from '../storage/postgres/errors.ts'
import type { Pool } from '../storage/postgres/pool.ts'
import { createGroupCommit } from './group-commit.ts'
import { type LogRow, messageBody } from './log-rows.postgres.ts'
import { measureCommits } from './measured-commit.ts'
import { IdempotencyKeyReused, type NewMessage, RoomNotFound } from './message-log.ts'
import { giveUpBatch, type StoredBatch, storeBatch, toBatchValues } from './message-statements.postgres.ts'
import { type AttemptFailure, createNumberedBatches } from './numbered-batches.ts'
import { type StoredChanges, storeChanges } from './room-commit.postgres.ts'
import type { MessageRange, SequencedMessage } from './sequencer.ts'

interface AppenderOptions {
  readonly appends: Pool
  /** Names this process in the record of batches. */
  readonly session: string
  readonly timeoutMs: number
  readonly toMessage: (row: LogRow) => SequencedMessage
  readonly encode: (sequence: number) => string
  /** Delivers a stored batch. The senders receive their outcome once the promise has resolved. */
  readonly deliver: (range: MessageRange) => Promise<void>
  readonly metrics: LogMetrics | undefined
}

export interface Appender {
  append(message: NewMessage): Promise<void>
  /** As `RoomChanges.change`. */
  change(change: RoomChange): Promise<RoomChangeResult>
  /** Resolves when no append is pending. */
  flush(): Promise<void>
}

/** A change of rooms that waits for its commit. */
interface PendingChange {
  readonly change: RoomChange
  outcome: RoomChangeResult | Error | undefined
}

/** A message or a change, and when it arrived in monotonic milliseconds. */
interface Queued {
  readonly item: NewMessage | PendingChange
  readonly since: number
}

/** What one transaction stores: messages that follow each other, or changes that do. */
type Work = { readonly messages: readonly NewMessage[] } | { readonly changes: readonly PendingChange[] }

const maxBatchSize = 512

/** The number of changes in one transaction. Each takes a few round trips, while the other nodes wait for the lock. */
const maxChanges = 32

/** The number of messages that may wait. They fill the memory while the database is unavailable. */
const maxPending = 20_000

/** SQLSTATEs of `append_batch`. */
const givenUp = 'PA001'

function classify(error: unknown): AttemptFailure {
  if (sqlState(error) === givenUp) return 'given-up'
  const kind = failureKind(error)
  return kind === 'nothing-changed' ? 'not-stored' : kind
}

/** Where a message was stored. */
interface Placed {
  readonly sequence: number
  readonly sentAt: number
  /** The number of its room. */
  readonly room: number
}

/** Divides the items of a commit, in their order, into what one transaction stores. */
function split(queued: readonly Queued[]): { readonly work: Work; readonly since: number }[] {
  const parts: { readonly work: Work; readonly since: number }[] = []
  let messages: NewMessage[] | undefined
  let changes: PendingChange[] | undefined
  for (const { item, since } of queued) {
    if ('change' in item) {
      messages = undefined
      if (changes && changes.length < maxChanges) {
        changes.push(item)
        continue
      }
      changes = [item]
      parts.push({ work: { changes }, since })
    } else {
      changes = undefined
      if (messages) {
        messages.push(item)
        continue
      }
      messages = [item]
      parts.push({ work: { messages }, since })
    }
  }
  return parts
}

/** Appends messages in numbered batches: one statement, one round trip and one transaction each. Changes of rooms are batches as well. */
export function createAppender(options: AppenderOptions): Appender {
  const { appends, session, timeoutMs, toMessage, encode, deliver } = options
  let pending = 0

  const batches = createNumberedBatches<Work, StoredBatch | StoredChanges>({
    timeoutMs,
    classify,
    store: (number, work) =>
      appends.attempt<StoredBatch | StoredChanges>(({ $client }) =>
        'changes' in work
          ? storeChanges(
              $client,
              [session, number],
              work.changes.map(({ change }) => change),
            )
          : storeBatch($client, [session, number], toBatchValues(work.messages)),
      ),
    giveUp: (number) => appends.attempt(({ $client }) => giveUpBatch($client, session, number)),
  })

  /** The row that the database has stored for a message. */
  function toRow({ user, idempotencyKey: key, message, room }: NewMessage, place: Placed): LogRow {
    const { sequence, sentAt } = place
    const userId = user.id
    const idempotencyKey = key ?? null
    if (room === undefined) {
      const { username } = user
      return { sequence, userId, username, idempotencyKey, sentAt, body: JSON.stringify(message) }
    }
    const entry = { room: place.room, audience: null, kind: 'message' }
    const body = messageBody(room, message, user)
    return { sequence, userId, username: null, idempotencyKey, sentAt, body, entry }
  }

  /** Sets the outcome of each message, and returns those that are new. */
  function decide(batch: readonly NewMessage[], { previous, sentAt, outcomes, rooms }: StoredBatch) {
    const added: SequencedMessage[] = []
    for (const [index, message] of batch.entries()) {
      const outcome = outcomes.length === 0 ? previous + index + 1 : outcomes[index]
      if (outcome === null || outcome === undefined) {
        message.outcome = new RoomNotFound()
      } else if (outcome > 0) {
        const stored = toMessage(toRow(message, { sequence: outcome, sentAt, room: rooms[index] ?? 0 }))
        added.push(stored)
        message.outcome = { id: stored.id, repeated: false }
      } else if (outcome < 0) {
        message.outcome = { id: encode(-outcome), repeated: true }
      } else {
        message.outcome = new IdempotencyKeyReused()
      }
    }
    return added
  }

  async function storeWork(work: Work, since: number): Promise<void> {
    const stored = await batches.store(work, since)
    const range = { previous: stored.previous, through: stored.head }
    if ('messages' in work) {
      await deliver({ ...range, messages: decide(work.messages, stored as StoredBatch) })
      return
    }
    const { entries, outcomes } = stored as StoredChanges
    for (const [index, change] of work.changes.entries()) change.outcome = outcomes[index]
    await deliver({ ...range, messages: entries.map(toMessage) })
  }

  async function commit(queued: readonly Queued[]): Promise<void> {
    try {
      const parts = split(queued)
      for (const { work, since } of parts) {
        try {
          await storeWork(work, since)
        } catch (error) {
          // The others of this commit have outcomes of their own.
          if (parts.length === 1) throw error
          const failure = error instanceof Error ? error : new Error(String(error))
          for (const item of 'changes' in work ? work.changes : work.messages) item.outcome = failure
        }
      }
    } finally {
      pending -= queued.length
    }
  }

  const commits = createGroupCommit<Queued>({
    maxBatchSize,
    commit: measureCommits(options.metrics, ({ item }) => ('change' in item ? undefined : item), commit),
  })

  function add(item: Queued['item']): Promise<void> {
    if (pending >= maxPending) {
      return Promise.reject(new StorageUnavailable(new Error('Too many messages wait for the database')))
    }
    pending++
    return commits.add({ item, since: performance.now() })
  }

  return {
    append: add,
    async change(change) {
      const item: PendingChange = { change, outcome: undefined }
      await add(item)
      if (item.outcome instanceof Error) throw item.outcome
      return item.outcome ?? {}
    },
    flush: commits.flush,
  }
}
