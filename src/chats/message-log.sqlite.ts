import { type Clock, systemClock } from '../clock.ts'
import { chain, type MaybePromise } from '../maybe-promise.ts'
import type { LogMetrics } from '../metrics/metrics.ts'
import type { Queries, RunOnDatabase } from '../storage/sqlite/connection.ts'
import { withStorageErrors } from '../storage/sqlite/errors.ts'
import { messageLog } from '../storage/sqlite/schema.ts'
import { prepareTransaction } from '../storage/sqlite/statements.ts'
import { type EntryStatements, type FrameRow, prepareEntryStatements } from './entry-statements.sqlite.ts'
import { createEraser } from './eraser.sqlite.ts'
import { createGroupCommit } from './group-commit.ts'
import { createHistoryReader } from './history-reader.sqlite.ts'
import { createListeners } from './listeners.ts'
import { createLogClock } from './log-clock.ts'
import { measureCommits } from './measured-commit.ts'
import { createEpoch, createMessageIds } from './message-ids.ts'
import { gone, type LogView, type MessageLog, type Page, type StoredMessage } from './message-log.ts'
import { type MessageStatements, prepareMessageStatements } from './message-statements.sqlite.ts'
import {
  createMessageWriter,
  type Pending,
  type PendingChange,
  type SentAt,
} from './message-writer.sqlite.ts'
import { createRetention } from './retention.sqlite.ts'
import { createViewReader } from './view-reader.sqlite.ts'

export interface MessageLogOptions {
  readonly queries: Queries
  /** Runs each change; the connection's checks that the database file is still in place. */
  readonly write?: RunOnDatabase
  /** Runs the transaction of a commit; the connection's does not block the thread while the disk stores it. */
  readonly commit?: <Result>(work: () => Result) => MaybePromise<Result>
  readonly clock?: Clock
  readonly retentionDays: number
  readonly retentionCount: number
  /** Called with errors of background work; no request is waiting for it. */
  readonly onError: (error: unknown) => void
  readonly metrics?: LogMetrics | undefined
}

interface StoredTables {
  readonly statements: MessageStatements
  readonly entries: EntryStatements
}

const maxBatchSize = 512

/** The state of the log that does not depend on stored messages. It is created with the log. */
function loadState(queries: Queries): typeof messageLog.$inferSelect {
  const created = { id: 1, epoch: createEpoch(), trimmedThrough: 0 }
  return (
    queries.select().from(messageLog).get() ?? queries.insert(messageLog).values(created).returning().get()
  )
}

/** The sequence of the oldest message to all users or in a room. */
export function findOldest({ statements, entries }: StoredTables): number {
  const [message, entry] = [statements.oldest().all({ limit: 1 })[0], entries.oldest().get(1)]
  return Math.min(message?.sequence ?? Number.MAX_SAFE_INTEGER, entry?.sequence ?? Number.MAX_SAFE_INTEGER)
}

/** The newest message to all users or in a room, and the time of the last commit. */
export function findNewest({ statements, entries }: StoredTables): { sequence: number; sentAt: number } {
  const message = statements.newestThrough().get({ sequence: Number.MAX_SAFE_INTEGER })
  const entry = entries.newest().get(Number.MAX_SAFE_INTEGER)
  return {
    sequence: Math.max(message?.sequence ?? 0, entry?.sequence ?? 0),
    sentAt: Math.max(message?.sentAt ?? 0, entry?.sentAt ?? 0),
  }
}

/** The message log in SQLite. Messages that arrive while the thread is busy share one transaction. */
export function openSqliteMessageLog(options: MessageLogOptions): MessageLog {
  const { queries, write = withStorageErrors, commit = write, onError } = options
  const state = loadState(queries)
  const ids = createMessageIds(state.epoch)
  const statements = prepareMessageStatements(queries)
  const entries = prepareEntryStatements(queries)
  const newest = findNewest({ statements, entries })
  let { trimmedThrough, forgottenThrough } = state
  /** The sequence of the newest entry that is durable. Reads end here. */
  let head = Math.max(newest.sequence, trimmedThrough, state.removedThrough)
  const clock = createLogClock({
    clock: options.clock ?? systemClock,
    newestSentAt: newest.sentAt,
  })
  const listeners = createListeners(onError)
  const storeAll = createMessageWriter({ queries, statements, ids, head: () => head })
  const storeTogether = prepareTransaction(queries, storeAll)

  /** The next batch is committed when this one is durable. `head` then includes its messages, and reads return them. */
  function commitBatch(batch: readonly Pending[]): MaybePromise<void> {
    const ms = clock.stamp()
    const sentAt: SentAt = { ms, text: new Date(ms).toISOString() }
    return chain(
      commit(() => storeTogether(batch, sentAt)),
      (stored) => {
        head += stored.length
        clock.stored(ms)
        for (const message of stored) listeners.notify(message)
      },
    )
  }

  const toMessage = ({ sequence, frame }: FrameRow): StoredMessage => ({ id: ids.encode(sequence), frame })
  const commits = createGroupCommit<Pending>({
    maxBatchSize,
    commit: measureCommits(options.metrics, (item) => ('change' in item ? undefined : item), commitBatch),
  })
  const retention = createRetention({
    ...options,
    write,
    statements,
    entries,
    clock,
    head: () => head,
    trimmedThrough: () => trimmedThrough,
    onTrimmed: (sequence) => {
      trimmedThrough = sequence
    },
    onForgotten: (sequence) => {
      forgottenThrough = Math.max(forgottenThrough, sequence)
    },
  })
  const eraser = createEraser({
    statements: retention.observed(statements),
    write,
    head: () => head,
    start: () => findOldest({ statements, entries }) - 1,
    flush: commits.flush,
    onError,
  })
  const following = (sequence: number, through: number, limit: number) =>
    statements.following().all({ sequence, head: through, limit })
  const views = createViewReader({
    entries,
    lobby: following,
    oldestLobby: () => statements.oldest().all({ limit: 1 })[0]?.sequence,
    head: () => head,
    lobbyTrimmedThrough: () => Math.max(trimmedThrough, forgottenThrough),
    roomsTrimmedThrough: retention.roomsTrimmedThrough,
    encode: ids.encode,
    toMessage,
  })
  const history = createHistoryReader({ entries, ids, head: () => head, toMessage })

  function readLobby(after: number, limit: number): Page {
    const rows = following(after, head, limit + 1)
    const more = rows.length > limit
    const messages = rows.slice(0, limit).map(toMessage)
    const end = more ? messages.at(-1)?.id : undefined
    return { start: ids.encode(after), messages, end: end ?? ids.encode(head), more }
  }

  function readView(view: LogView, cursor: string | undefined, limit: number): Page | typeof gone {
    if (cursor === undefined) return views.read(view, undefined, limit)
    const after = ids.decode(cursor)
    return after === undefined || after > head ? gone : views.read(view, after, limit)
  }

  return {
    append: commits.add,
    async change(change) {
      const pending: PendingChange = { change, outcome: undefined }
      await commits.add(pending)
      if (pending.outcome instanceof Error) throw pending.outcome
      return pending.outcome ?? {}
    },
    read(id, readerId) {
      const sequence = ids.decode(id)
      if (sequence === undefined || sequence > head) return undefined
      return withStorageErrors(() => {
        const row = statements.bySequence().get({ sequence })
        return row ? toMessage(row) : history.readMessage(sequence, readerId)
      })
    },
    readAfter(cursor, limit, view) {
      if (view) return withStorageErrors(() => readView(view, cursor, limit))
      const after = cursor === undefined ? trimmedThrough : ids.decode(cursor)
      if (after === undefined || after < trimmedThrough || after > head) return gone
      return withStorageErrors(() => readLobby(after, limit))
    },
    // A read blocks the thread.
    maxParallelReads: 1,
    readBefore(cursor, limit) {
      const before = cursor === undefined ? head + 1 : ids.decode(cursor)
      if (before === undefined || before > head + 1) return gone
      const rows = withStorageErrors(() => statements.preceding().all({ sequence: before, limit: limit + 1 }))
      return { messages: rows.slice(0, limit).reverse().map(toMessage), more: rows.length > limit }
    },
    readHistory: (room, readerId, range) =>
      withStorageErrors(() => history.readHistory(room, readerId, range)),
    head: () => ids.encode(head),
    remove(removed) {
      const sequences = removed.flatMap((id) => ids.decode(id) ?? [])
      const found = write(() => statements.remove(sequences))
      retention.removed(found)
      return found.map(ids.encode)
    },
    eraseMessagesOf: eraser.erase,
    subscribe: listeners.add,
    flush: commits.flush,
    measure() {
      const [oldest] = withStorageErrors(() => statements.oldest().all({ limit: 1 }))
      return { positions: oldest ? head - oldest.sequence + 1 : 0, oldestSentAt: oldest?.sentAt }
    },
    close() {
      retention.stop()
      eraser.stop()
    },
  }
}
