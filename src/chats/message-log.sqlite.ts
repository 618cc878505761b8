import { type Clock, systemClock } from '../clock.ts'
import type { ChatMessage } from '../contract/frames.ts'
import type { LogMetrics } from '../metrics/metrics.ts'
import type { Queries, RunOnDatabase } from '../storage/sqlite/connection.ts'
import { withStorageErrors } from '../storage/sqlite/errors.ts'
import { messageLog } from '../storage/sqlite/schema.ts'
import { prepareTransaction } from '../storage/sqlite/statements.ts'
import { createEraser } from './eraser.sqlite.ts'
import { createGroupCommit } from './group-commit.ts'
import { createListeners } from './listeners.ts'
import { createLogClock } from './log-clock.ts'
import { measureCommits } from './measured-commit.ts'
import { createEpoch, createMessageIds } from './message-ids.ts'
import {
  gone,
  IdempotencyKeyReused,
  type MessageLog,
  type NewMessage,
  parseFrame,
  type StoredMessage,
} from './message-log.ts'
import { prepareMessageStatements } from './message-statements.sqlite.ts'
import { findRemovable, scheduleTrimming } from './retention.ts'

export interface MessageLogOptions {
  readonly queries: Queries
  /** Runs each change; the connection's checks that the database file is still in place. */
  readonly write?: RunOnDatabase
  readonly clock?: Clock
  readonly retentionDays: number
  readonly retentionCount: number
  /** Called with errors of background work; no request is waiting for it. */
  readonly onError: (error: unknown) => void
  readonly metrics?: LogMetrics | undefined
}

/** The time of a commit, which all of its messages share. */
interface SentAt {
  /** Milliseconds since the epoch. */
  readonly ms: number
  /** RFC 3339. */
  readonly text: string
}

const maxBatchSize = 512

/** The state of the log that does not depend on stored messages. It is created with the log. */
function loadState(queries: Queries): typeof messageLog.$inferSelect {
  const created = { id: 1, epoch: createEpoch(), trimmedThrough: 0, removedThrough: 0 }
  queries.insert(messageLog).values(created).onConflictDoNothing().run()
  return queries.select().from(messageLog).get() ?? created
}

/** The message log in SQLite. Messages that arrive while the thread is busy share one transaction. */
export function openSqliteMessageLog(options: MessageLogOptions): MessageLog {
  const { queries, write = withStorageErrors, onError } = options
  const state = loadState(queries)
  const ids = createMessageIds(state.epoch)
  const statements = prepareMessageStatements(queries)
  const newest = statements.newestThrough().get({ sequence: Number.MAX_SAFE_INTEGER })
  let { trimmedThrough } = state
  let head = Math.max(newest?.sequence ?? 0, trimmedThrough, state.removedThrough)
  const clock = createLogClock({
    clock: options.clock ?? systemClock,
    newestSentAt: newest?.sentAt ?? 0,
  })
  const listeners = createListeners(onError)

  /** The message that the user has already stored with the same key. */
  const findRepeated = ({ user, idempotencyKey }: NewMessage) =>
    idempotencyKey === undefined ? undefined : statements.byKey().get({ userId: user.id, idempotencyKey })

  function store({ user, message, idempotencyKey }: NewMessage, sequence: number, sentAt: SentAt) {
    // JSON.stringify leaves out an undefined key, which is faster than a spread (docs/performance.md).
    const stored: Omit<ChatMessage, 'idempotencyKey'> & Pick<NewMessage, 'idempotencyKey'> = {
      event: 'message',
      id: ids.encode(sequence),
      message,
      user: { id: user.id, username: user.username },
      sentAt: sentAt.text,
      idempotencyKey,
    }
    const frame = JSON.stringify(stored)
    statements.insert().run(sequence, user.id, idempotencyKey ?? null, sentAt.ms, frame)
    return { id: stored.id, frame, repeated: false }
  }

  /** Stores a batch and decides the outcome of each message. Returns the messages that are new. */
  function storeAll(batch: readonly NewMessage[], sentAt: SentAt): StoredMessage[] {
    const added: StoredMessage[] = []
    for (const message of batch) {
      const earlier = findRepeated(message)
      if (!earlier) {
        const stored = store(message, head + added.length + 1, sentAt)
        added.push(stored)
        message.outcome = stored
      } else if (parseFrame(earlier.frame).message === message.message) {
        message.outcome = { id: ids.encode(earlier.sequence), repeated: true }
      } else {
        message.outcome = new IdempotencyKeyReused()
      }
    }
    return added
  }

  const storeTogether = prepareTransaction(queries, storeAll)

  function commit(batch: readonly NewMessage[]): void {
    const ms = clock.stamp()
    const sentAt: SentAt = { ms, text: new Date(ms).toISOString() }
    const stored = write(() => storeTogether(batch, sentAt))
    head += stored.length
    clock.stored(ms)
    for (const message of stored) listeners.notify(message)
  }

  const retention = {
    ...options,
    clock,
    log: {
      head: () => head,
      oldest: (limit: number) => statements.oldest().all({ limit }),
      newestThrough: (sequence: number) => statements.newestThrough().get({ sequence }),
    },
  }

  function trim(limit: number): boolean {
    const through = findRemovable(retention, limit)
    if (through === undefined) return false
    write(() => statements.removeThrough(through))
    trimmedThrough = through
    return true
  }

  const toMessage = ({ sequence, frame }: { sequence: number; frame: string }): StoredMessage => ({
    id: ids.encode(sequence),
    frame,
  })
  const commits = createGroupCommit<NewMessage>({
    maxBatchSize,
    commit: measureCommits(options.metrics, (message) => message, commit),
  })
  const eraser = createEraser({
    statements,
    write,
    head: () => head,
    start: () => trimmedThrough,
    flush: commits.flush,
    onError,
  })
  const trimming = scheduleTrimming({ onError, trim })

  return {
    append: commits.add,
    read(id) {
      const sequence = ids.decode(id)
      if (sequence === undefined) return undefined
      const row = withStorageErrors(() => statements.bySequence().get({ sequence }))
      return row && toMessage(row)
    },
    readAfter(cursor, limit) {
      const after = cursor === undefined ? trimmedThrough : ids.decode(cursor)
      if (after === undefined || after < trimmedThrough || after > head) return gone
      const rows = withStorageErrors(() =>
        statements.following().all({ sequence: after, head, limit: limit + 1 }),
      )
      const more = rows.length > limit
      const messages = rows.slice(0, limit).map(toMessage)
      const end = more ? messages.at(-1)?.id : undefined
      return { start: ids.encode(after), messages, end: end ?? ids.encode(head), more }
    },
    readBefore(cursor, limit) {
      const before = cursor === undefined ? head + 1 : ids.decode(cursor)
      if (before === undefined || before > head + 1) return gone
      const rows = withStorageErrors(() => statements.preceding().all({ sequence: before, limit: limit + 1 }))
      return { messages: rows.slice(0, limit).reverse().map(toMessage), more: rows.length > limit }
    },
    head: () => ids.encode(head),
    remove(removed) {
      const sequences = removed.flatMap((id) => ids.decode(id) ?? [])
      return write(() => statements.remove(sequences)).map(ids.encode)
    },
    eraseMessagesOf: eraser.erase,
    subscribe: listeners.add,
    flush: commits.flush,
    measure() {
      const [oldest] = withStorageErrors(() => statements.oldest().all({ limit: 1 }))
      return { positions: oldest ? head - oldest.sequence + 1 : 0, oldestSentAt: oldest?.sentAt }
    },
    close() {
      trimming.stop()
      eraser.stop()
    },
  }
}
