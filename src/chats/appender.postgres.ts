import type { LogMetrics } from '../metrics/metrics.ts'
import { StorageUnavailable } from '../storage/errors.ts'
import { failureKind, sqlState } from '../storage/postgres/errors.ts'
import type { Pool } from '../storage/postgres/pool.ts'
import { createGroupCommit } from './group-commit.ts'
import { measureCommits } from './measured-commit.ts'
import { IdempotencyKeyReused, type NewMessage } from './message-log.ts'
import {
  giveUpBatch,
  type MessageRow,
  type StoredBatch,
  storeBatch,
  toBatchValues,
} from './message-statements.postgres.ts'
import { type AttemptFailure, createNumberedBatches } from './numbered-batches.ts'
import type { MessageRange, SequencedMessage } from './sequencer.ts'

interface AppenderOptions {
  readonly appends: Pool
  /** Names this process in the record of batches. */
  readonly session: string
  readonly timeoutMs: number
  readonly toMessage: (row: MessageRow) => SequencedMessage
  readonly encode: (sequence: number) => string
  /** Delivers a stored batch. The senders receive their outcome once the promise has resolved. */
  readonly deliver: (range: MessageRange) => Promise<void>
  readonly metrics: LogMetrics | undefined
}

export interface Appender {
  append(message: NewMessage): Promise<void>
  /** Resolves when no append is pending. */
  flush(): Promise<void>
}

/** A message, and when it arrived in monotonic milliseconds. */
interface Queued {
  readonly message: NewMessage
  readonly since: number
}

const maxBatchSize = 512

/** The number of messages that may wait. They fill the memory while the database is unavailable. */
const maxPending = 20_000

/** SQLSTATEs of `append_batch`. */
const givenUp = 'PA001'

function classify(error: unknown): AttemptFailure {
  if (sqlState(error) === givenUp) return 'given-up'
  const kind = failureKind(error)
  return kind === 'nothing-changed' ? 'not-stored' : kind
}

/** Appends messages in numbered batches: one statement, one round trip and one transaction each. */
export function createAppender(options: AppenderOptions): Appender {
  const { appends, session, timeoutMs, toMessage, encode, deliver } = options
  let pending = 0

  const batches = createNumberedBatches<readonly NewMessage[], StoredBatch>({
    timeoutMs,
    classify,
    store: (number, batch) =>
      appends.attempt(({ $client }) => storeBatch($client, [session, number], toBatchValues(batch))),
    giveUp: (number) => appends.attempt(({ $client }) => giveUpBatch($client, session, number)),
  })

  /** Sets the outcome of each message, and returns those that are new. */
  function decide(batch: readonly NewMessage[], { previous, sentAt, outcomes }: StoredBatch) {
    const added: SequencedMessage[] = []
    for (const [index, message] of batch.entries()) {
      const outcome = outcomes.length === 0 ? previous + index + 1 : (outcomes[index] as number)
      if (outcome > 0) {
        const { user, idempotencyKey = null } = message
        const stored = toMessage({
          sequence: outcome,
          userId: user.id,
          username: user.username,
          idempotencyKey,
          sentAt,
          message: JSON.stringify(message.message),
        })
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

  async function commit(queued: readonly Queued[]): Promise<void> {
    try {
      const batch = queued.map(({ message }) => message)
      const stored = await batches.store(batch, (queued[0] as Queued).since)
      const messages = decide(batch, stored)
      await deliver({ previous: stored.previous, through: stored.head, messages })
    } finally {
      pending -= queued.length
    }
  }

  const commits = createGroupCommit<Queued>({
    maxBatchSize,
    commit: measureCommits(options.metrics, ({ message }) => message, commit),
  })
  return {
    append(message) {
      if (pending >= maxPending) {
        return Promise.reject(new StorageUnavailable(new Error('Too many messages wait for the database')))
      }
      pending++
      return commits.add({ message, since: performance.now() })
    },
    flush: commits.flush,
  }
}
