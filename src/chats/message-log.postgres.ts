import { type Clock, systemClock } from '../clock.ts'
import type { LogMetrics, NodeMeasurements } from '../metrics/metrics.ts'
import { StorageUnavailable } from '../storage/errors.ts'
import type { Pool } from '../storage/postgres/pool.ts'
import { createAppender } from './appender.postgres.ts'
import { createGapHealer } from './gap-healer.ts'
import { createHistoryReader } from './history-reader.postgres.ts'
import { createListeners } from './listeners.ts'
import { createLogClock } from './log-clock.ts'
import { createLogMaintenance } from './log-maintenance.postgres.ts'
import { createToMessage, type LogRow } from './log-rows.postgres.ts'
import { readOldest } from './maintenance-statements.postgres.ts'
import { createMessageIds, type MessageIds } from './message-ids.ts'
import { gone, type LogView, type MessageLog, type Page, type ReadResult } from './message-log.ts'
import {
  readFollowing,
  readMessage,
  readPreceding,
  readRange,
  removeMessages,
} from './message-statements.postgres.ts'
import type { OpenRangeExchange, RangeExchange } from './range-exchange.ts'
import { createSequencer, type MessageRange, type SequencedMessage } from './sequencer.ts'
import { createViewReader } from './view-reader.postgres.ts'

export interface PostgresMessageLogOptions {
  /** For reads and background work. */
  readonly pool: Pool
  /** For appends only. */
  readonly appends: Pool
  readonly epoch: string
  /** The sequence of the newest message when this node started. */
  readonly head: number
  readonly clock?: Clock
  readonly retentionDays: number
  readonly retentionCount: number
  /** How long an append may take. */
  readonly timeoutMs: number
  /** Called with errors of background work; no request is waiting for it. */
  readonly onError: (error: unknown) => void
  /** Carries messages to other nodes. Without it, they are notified of messages, and read them. */
  readonly openExchange?: OpenRangeExchange | undefined
  readonly metrics?: LogMetrics | undefined
}

export interface PostgresMessageLog extends MessageLog {
  /** Records that the log has a message with this sequence. @param session of the process that stored it, if known */
  hear(head: number, session?: string): void
  /** Forgets the recent messages, because messages with at most this sequence were removed. */
  forgetRecent(through: number): void
  /** Refuses all appends from now on: the database is no longer the one that this node has followed. */
  refuseAppends(cause: Error): void
  /** The sequence of the newest message that listeners have received. */
  applied(): number
  /** How far this node is behind the log. */
  measureNode(): Pick<NodeMeasurements, 'lagMessages' | 'healings'>
}

const rowsPerRead = 1000

/** How long the next batch waits for the messages that other nodes have stored before this one. */
const maxDeliveryMs = 500

/** How long they may take on their way through the exchange, before they are read. */
const exchangePatienceMs = 15

/** The way of messages into the order of the log: from this node, and from others by reading. */
function createDelivery(
  { pool, head, onError, openExchange }: PostgresMessageLogOptions,
  session: string,
  toMessage: (row: LogRow) => SequencedMessage,
) {
  const listeners = createListeners(onError)
  const sequencer = createSequencer({ head, deliver: listeners.notify })
  const healer = createGapHealer({
    sequencer,
    onError,
    async read(after) {
      const range = await pool.read(({ $client }) => readRange($client, after, rowsPerRead))
      const messages = range.rows.map(toMessage)
      const full = messages.length === rowsPerRead
      const through = full ? (messages.at(-1)?.sequence ?? after) : range.head
      return { previous: after, through, messages, full }
    },
  })

  /** Reads what is missing at once. If that fails, the healer repeats it. */
  const healNow = () => healer.now().catch(() => healer.soon())

  const exchange: RangeExchange | undefined = openExchange?.({
    session,
    isNew: (sequence) => sequence > sequencer.applied(),
    offer(range) {
      sequencer.offer(range)
      if (sequencer.hasGap()) healer.soon()
    },
    missed: () => void healNow(),
  })
  const isReceiving = (from?: string) => exchange?.isReceiving(from) === true

  return {
    listeners,
    sequencer,
    healer,
    healNow,
    isReceiving,
    close() {
      exchange?.close()
      healer.stop()
    },
    async deliver(range: MessageRange): Promise<void> {
      exchange?.publish(range)
      sequencer.offer(range)
      if (isReceiving()) await sequencer.whenApplied(range.through, exchangePatienceMs)
      if (sequencer.applied() >= range.through) return
      void healNow()
      await sequencer.whenApplied(range.through, maxDeliveryMs)
    },
  }
}

type Delivery = ReturnType<typeof createDelivery>

interface ReaderOptions {
  readonly pool: Pool
  readonly ids: MessageIds
  readonly toMessage: (row: LogRow) => SequencedMessage
  readonly delivery: Delivery
}

/** The reads of the log. They never return a message before the listeners received it. */
function createReader({ pool, ids, toMessage, delivery }: ReaderOptions) {
  const { sequencer, healer } = delivery

  /** Delivers the messages that are stored now. @throws StorageUnavailable */
  async function catchUp(): Promise<void> {
    await healer.now()
  }

  async function readStored(after: number | undefined, limit: number): Promise<Page | typeof gone> {
    const head = sequencer.applied()
    const { trimmedThrough, messages: rows } = await pool.read(({ $client }) =>
      readFollowing($client, { after, head, limit: limit + 1 }),
    )
    const start = after ?? trimmedThrough
    if (start < trimmedThrough) return gone
    const more = rows.length > limit
    const messages = rows.slice(0, limit).map(toMessage)
    const end = more ? messages.at(-1)?.id : undefined
    return { start: ids.encode(start), messages, end: end ?? ids.encode(Math.max(head, start)), more }
  }

  function readRecent(after: number, limit: number): Page | undefined {
    const recent = sequencer.recentToAll(after, limit)
    if (!recent) return undefined
    const end = recent.more ? recent.messages.at(-1)?.id : undefined
    return { start: ids.encode(after), end: end ?? ids.encode(sequencer.applied()), ...recent }
  }

  const views = createViewReader({ pool, sequencer, encode: ids.encode, toMessage })
  const history = createHistoryReader({ pool, ids, head: sequencer.applied, catchUp, toMessage })

  async function readView(
    view: LogView,
    cursor: string | undefined,
    limit: number,
  ): Promise<Page | typeof gone> {
    if (cursor === undefined) return views.read(view, undefined, limit)
    const after = ids.decode(cursor)
    if (after === undefined) return gone
    // The cursor may come from a node that is ahead of this one.
    if (after > sequencer.applied()) await catchUp()
    return after > sequencer.applied() ? gone : views.read(view, after, limit)
  }

  return {
    readAfter(cursor: string | undefined, limit: number, view?: LogView): ReadResult {
      if (view) return readView(view, cursor, limit)
      if (cursor === undefined) return readStored(undefined, limit)
      const after = ids.decode(cursor)
      if (after === undefined) return gone
      if (after <= sequencer.applied()) return readRecent(after, limit) ?? readStored(after, limit)
      // The cursor may come from a node that is ahead of this one.
      return catchUp().then(() =>
        after <= sequencer.applied() ? (readRecent(after, limit) ?? readStored(after, limit)) : gone,
      )
    },
    async readBefore(cursor: string | undefined, limit: number): Promise<Page | typeof gone> {
      const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : ids.decode(cursor)
      if (before === undefined) return gone
      if (cursor !== undefined && before > sequencer.applied() + 1) {
        await catchUp()
        if (before > sequencer.applied() + 1) return gone
      }
      const rows = await pool.read(({ $client }) => readPreceding($client, before, limit + 1))
      if (rows[0] && rows[0].sequence > sequencer.applied()) await catchUp()
      return { messages: rows.slice(0, limit).reverse().map(toMessage), more: rows.length > limit }
    },
    async read(id: string, readerId: string) {
      const sequence = ids.decode(id)
      if (sequence === undefined) return undefined
      const row = await pool.read(({ $client }) => readMessage($client, sequence))
      return row ? toMessage(row) : history.readMessage(sequence, readerId)
    },
    readHistory: history.readHistory,
  }
}

/** The message log in PostgreSQL, for any number of nodes (docs/decisions/postgres.md). */
export function openPostgresMessageLog(options: PostgresMessageLogOptions): PostgresMessageLog {
  const { pool, appends, epoch, timeoutMs, onError } = options
  const session = crypto.randomUUID()
  const ids = createMessageIds(epoch)
  const toMessage = createToMessage(ids)
  const delivery = createDelivery(options, session, toMessage)
  const { sequencer, healNow, listeners, isReceiving } = delivery
  const appender = createAppender({
    appends,
    session,
    timeoutMs,
    toMessage,
    encode: ids.encode,
    deliver: delivery.deliver,
    metrics: options.metrics,
  })
  const maintenance = createLogMaintenance({
    pool,
    clock: createLogClock({ clock: options.clock ?? systemClock, newestSentAt: 0 }),
    retentionDays: options.retentionDays,
    retentionCount: options.retentionCount,
    timeoutMs,
    head: sequencer.applied,
    flush: appender.flush,
    onError,
  })

  let refusal: StorageUnavailable | undefined
  return {
    append: (message) => (refusal ? Promise.reject(refusal) : appender.append(message)),
    ...createReader({ pool, ids, toMessage, delivery }),
    // The other connections are for requests.
    maxParallelReads: Math.ceil(pool.size / 2),
    head: () => ids.encode(sequencer.applied()),
    change: (change) => (refusal ? Promise.reject(refusal) : appender.change(change)),
    async remove(removed) {
      const sequences = removed.flatMap((id) => ids.decode(id) ?? [])
      const found = await pool.write(({ $client }) => removeMessages($client, sequences))
      sequencer.forgetRecent()
      return found.map(ids.encode)
    },
    async eraseMessagesOf(userId) {
      await maintenance.erase(userId)
      sequencer.forgetRecent()
    },
    subscribe: listeners.add,
    flush: appender.flush,
    async measure() {
      const [oldest] = await pool.read(({ $client }) => readOldest($client, 'messages', 1))
      const head = sequencer.applied()
      return { positions: oldest ? head - oldest.sequence + 1 : 0, oldestSentAt: oldest?.sentAt }
    },
    close() {
      maintenance.stop()
      delivery.close()
    },
    hear(head, from) {
      sequencer.hear(head)
      if (!sequencer.hasGap()) return
      // It may be an own message, or one that the exchange carries: then it is about to arrive.
      if (from === undefined || from === session || isReceiving(from)) delivery.healer.soon()
      else void healNow()
    },
    forgetRecent: sequencer.forgetRecent,
    refuseAppends(cause) {
      refusal = new StorageUnavailable(cause)
    },
    applied: sequencer.applied,
    measureNode: () => ({ lagMessages: sequencer.lag(), healings: delivery.healer.healings() }),
  }
}
