import { and, asc, desc, eq, gt, lt, lte, sql } from 'drizzle-orm'
import type { ChatMessage } from '../contract/frames.ts'
import type { Queries } from '../database/open-database.ts'
import { messageLog, messages } from '../database/schema.ts'
import { prepareStatement } from '../database/statements.ts'
import { onStorage } from '../database/storage.ts'
import { createIncarnation, createMessageIds } from './message-ids.ts'
import {
  IdempotencyKeyReused,
  type MessageLog,
  type NewMessage,
  type Page,
  parseFrame,
  type StoredMessage,
} from './message-log.ts'
import { scheduleTrimming } from './retention.ts'

/** Messages that share a commit, and its outcome. */
interface Batch extends PromiseWithResolvers<void> {
  readonly messages: NewMessage[]
  /** Those that the commit left out, and why. */
  readonly refused: Map<NewMessage, IdempotencyKeyReused>
}

/** When a commit was made: all of its messages have one time. */
interface SentAt {
  /** Since the epoch. */
  readonly ms: number
  /** RFC 3339. */
  readonly text: string
}

export interface MessageLogOptions {
  readonly queries: Queries
  readonly retentionDays: number
  readonly retentionCount: number
  /** Told of failures in the background, which nobody waits for. */
  readonly onError: (error: unknown) => void
}

/** A commit costs the same for one row as for many; this bounds how long it holds the thread. */
const mostPerCommit = 512

/** The log in SQLite. What arrives while the thread is busy shares one transaction: a group commit. */
export function openSqliteMessageLog(options: MessageLogOptions): MessageLog {
  const { queries } = options
  const created = { id: 1, incarnation: createIncarnation(), trimmedThrough: 0 }
  queries.insert(messageLog).values(created).onConflictDoNothing().run()
  const state = queries.select().from(messageLog).get() ?? created
  const ids = createMessageIds(state.incarnation)
  let trimmedThrough = state.trimmedThrough
  const newest = queries
    .select({ sequence: messages.sequence, sentAt: messages.sentAt })
    .from(messages)
    .orderBy(desc(messages.sequence))
    .limit(1)
    .get()
  let head = newest?.sequence ?? trimmedThrough
  let lastSentAt = newest?.sentAt ?? 0

  const insert = prepareStatement<
    [sequence: number, userId: string, idempotencyKey: string | null, sentAt: number, frame: string]
  >(
    queries,
    queries.insert(messages).values({
      sequence: sql.placeholder('sequence'),
      userId: sql.placeholder('userId'),
      idempotencyKey: sql.placeholder('idempotencyKey'),
      sentAt: sql.placeholder('sentAt'),
      frame: sql.placeholder('frame'),
    }),
    ['sequence', 'userId', 'idempotencyKey', 'sentAt', 'frame'],
  )
  const columns = { sequence: messages.sequence, frame: messages.frame }
  const byKey = queries
    .select({ frame: messages.frame })
    .from(messages)
    .where(
      and(
        eq(messages.userId, sql.placeholder('userId')),
        eq(messages.idempotencyKey, sql.placeholder('idempotencyKey')),
      ),
    )
    .prepare()
  const following = queries
    .select(columns)
    .from(messages)
    .where(
      and(
        gt(messages.sequence, sql.placeholder('sequence')),
        lte(messages.sequence, sql.placeholder('head')),
      ),
    )
    .orderBy(asc(messages.sequence))
    .limit(sql.placeholder('limit'))
    .prepare()
  const preceding = queries
    .select(columns)
    .from(messages)
    .where(lt(messages.sequence, sql.placeholder('sequence')))
    .orderBy(desc(messages.sequence))
    .limit(sql.placeholder('limit'))
    .prepare()

  const listeners: ((message: StoredMessage) => void)[] = []
  /** Not committed yet; the last one is still being filled. */
  const batches: Batch[] = []

  /** Stores one message as `sequence`, or nothing where its key was here before. */
  function store({ user, message, idempotencyKey }: NewMessage, sequence: number, sentAt: SentAt) {
    if (idempotencyKey !== undefined) {
      const before = byKey.get({ userId: user.id, idempotencyKey })
      if (before) {
        if (parseFrame(before.frame).message === message) return undefined
        throw new IdempotencyKeyReused('The key came with another message before')
      }
    }
    const stored: ChatMessage = {
      event: 'message',
      id: ids.encode(sequence),
      message,
      user: { id: user.id, username: user.username },
      sentAt: sentAt.text,
      ...(idempotencyKey !== undefined && { idempotencyKey }),
    }
    const frame = JSON.stringify(stored)
    insert.run(sequence, user.id, idempotencyKey ?? null, sentAt.ms, frame)
    return { id: stored.id, frame }
  }

  /** What is committed is answered, whatever a listener makes of it. */
  function tell(message: StoredMessage): void {
    for (const listener of listeners) {
      try {
        listener(message)
      } catch (error) {
        options.onError(error)
      }
    }
  }

  function commit({ messages: accepted, refused, resolve, reject }: Batch): void {
    const ms = Math.max(Date.now(), lastSentAt)
    const stored: StoredMessage[] = []
    try {
      const sentAt: SentAt = { ms, text: new Date(ms).toISOString() }
      onStorage(() =>
        queries.transaction(
          () => {
            for (const each of accepted) {
              try {
                const result = store(each, head + stored.length + 1, sentAt)
                if (result) stored.push(result)
              } catch (error) {
                if (!(error instanceof IdempotencyKeyReused)) throw error
                refused.set(each, error)
              }
            }
          },
          { behavior: 'immediate' },
        ),
      )
    } catch (error) {
      reject(error)
      return
    }
    head += stored.length
    lastSentAt = ms
    for (const message of stored) tell(message)
    resolve()
  }

  function commitNext(): void {
    const batch = batches.shift() as Batch
    // The others have their turns, with all that arrives in between.
    if (batches.length > 0) setImmediate(commitNext)
    commit(batch)
  }

  /** The batch that takes the next message. */
  function openBatch(): Batch {
    const last = batches.at(-1)
    if (last && last.messages.length < mostPerCommit) return last
    if (!last) setImmediate(commitNext)
    const batch = { messages: [], refused: new Map(), ...Promise.withResolvers<void>() }
    batches.push(batch)
    return batch
  }

  const toMessage = ({ sequence, frame }: { sequence: number; frame: string }) => ({
    id: ids.encode(sequence),
    frame,
  })

  function readAfter(cursor: string | undefined, limit: number): Page | 'gone' {
    const after = cursor === undefined ? trimmedThrough : ids.decode(cursor)
    if (after === undefined || after < trimmedThrough || after > head) return 'gone'
    const rows = onStorage(() => following.all({ sequence: after, head, limit: limit + 1 }))
    return { messages: rows.slice(0, limit).map(toMessage), more: rows.length > limit }
  }

  function readBefore(cursor: string | undefined, limit: number): Page | 'gone' {
    const before = cursor === undefined ? head + 1 : ids.decode(cursor)
    if (before === undefined || before > head + 1) return 'gone'
    const rows = onStorage(() => preceding.all({ sequence: before, limit: limit + 1 }))
    return { messages: rows.slice(0, limit).reverse().map(toMessage), more: rows.length > limit }
  }

  const oldest = (count: number) =>
    queries
      .select({ sequence: messages.sequence, sentAt: messages.sentAt })
      .from(messages)
      .orderBy(asc(messages.sequence))
      .limit(count)
      .all()

  const trimming = scheduleTrimming(options, {
    /** Removes at most `most` messages that are past the limits, oldest first; tells whether more are. */
    trim(oldestSentAt, most) {
      const isPast = ({ sequence, sentAt }: { sequence: number; sentAt: number }) =>
        sentAt < oldestSentAt || sequence <= head - options.retentionCount
      // Where the oldest is not past, none is; most times that is all there is to read.
      if (!oldest(1).every(isPast)) return false
      const past = oldest(most).filter(isPast)
      const last = past.at(-1)?.sequence
      if (last === undefined) return false
      queries.transaction(
        () => {
          queries.delete(messages).where(lte(messages.sequence, last)).run()
          queries.update(messageLog).set({ trimmedThrough: last }).run()
        },
        { behavior: 'immediate' },
      )
      trimmedThrough = last
      return past.length === most
    },
  })

  return {
    append(message) {
      const { messages: accepted, refused, promise } = openBatch()
      accepted.push(message)
      // Nothing but its key can have it refused by itself: all others share one promise, which costs them least.
      if (message.idempotencyKey === undefined) return promise
      return promise.then(() => {
        const refusal = refused.get(message)
        if (refusal) throw refusal
      })
    },
    readAfter,
    readBefore,
    head: () => (head > 0 ? ids.encode(head) : undefined),
    subscribe: (listener) => listeners.push(listener),
    flush: async () => void (await Promise.allSettled(batches.map(({ promise }) => promise))),
    close: () => trimming.stop(),
  }
}
