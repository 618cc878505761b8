import type { SQL } from 'bun'
import type { Pool } from '../storage/postgres/pool.ts'
import type { LogClock } from './log-clock.ts'
import {
  findErasures,
  finishErasure,
  hasEntries,
  type LogTable,
  pruneBatches,
  readCountEdge,
  readNewestThrough,
  readOldest,
  trimTable,
  tryMaintenanceLock,
} from './maintenance-statements.postgres.ts'
import { sweepMessagesOf } from './message-administration.postgres.ts'
import { findRemovableAsynchronously, type StoredTime, scheduleTrimming } from './retention.ts'

interface MaintenanceOptions {
  readonly pool: Pool
  readonly clock: Pick<LogClock, 'now' | 'confirmedDayAgo'>
  readonly retentionDays: number
  readonly retentionCount: number
  /** How long an append may take. */
  readonly timeoutMs: number
  readonly head: () => number
  /** Resolves when no append of this node is pending. */
  readonly flush: () => Promise<void>
  /** Called with errors of background work; no request is waiting for it. */
  readonly onError: (error: unknown) => void
}

const intervalMs = 10_000
const batchesPerStep = 5000

/** How long another node may accept messages of a user who was removed: its identities are cached for 750 ms. */
const maxIdentityAgeMs = 5000

/**
 * Finds the sequence through which a table has too many rows. Without entries of rooms, the sequences count the
 * messages. Otherwise the rows are counted, which takes long if many are permitted, so not at each step: an edge
 * remains valid, since rows are only added after it.
 */
function createCountEdge({ retentionCount, head }: Pick<MaintenanceOptions, 'retentionCount' | 'head'>) {
  let edge = 0
  let countedAt = Number.NEGATIVE_INFINITY
  return async (sql: SQL, table: LogTable, [oldest]: readonly StoredTime[]): Promise<number> => {
    const highest = head() - retentionCount
    // There cannot be more rows than sequences.
    if (!oldest || oldest.sequence > highest) return 0
    if (table === 'messages' && !(await hasEntries(sql))) return highest
    if (oldest.sequence > edge && performance.now() - countedAt >= intervalMs) {
      countedAt = performance.now()
      edge = await readCountEdge(sql, table, retentionCount)
    }
    return edge
  }
}

/**
 * Trims the log, erases the messages of removed users, and deletes old records of batches. One node does it at
 * a time: each step takes a lock, and is left to the other node if that has the lock.
 */
export function createLogMaintenance(options: MaintenanceOptions) {
  const { pool, timeoutMs, head, flush, onError } = options
  let stopped = false
  let running = false

  /** Runs one step in a transaction. Returns undefined if another node has the lock. */
  const runStep = <Result>(
    lock: 'trimming' | 'cleaning',
    step: (sql: SQL) => Promise<Result>,
  ): Promise<Result | undefined> =>
    pool.write(({ $client }) =>
      $client.begin(async (sql) => ((await tryMaintenanceLock(sql, lock)) ? step(sql) : undefined)),
    )

  const countEdges = { messages: createCountEdge(options), entries: createCountEdge(options) }

  const trimOne = (table: LogTable, limit: number): Promise<boolean> =>
    runStep('trimming', async (sql) => {
      const log = {
        head,
        countEdge: (oldest: readonly StoredTime[]) => countEdges[table](sql, table, oldest),
        oldest: (count: number) => readOldest(sql, table, count),
        newestThrough: (sequence: number) => readNewestThrough(sql, table, sequence),
      }
      const through = await findRemovableAsynchronously({ ...options, log }, limit)
      if (through === undefined) return false
      await trimTable(sql, table, through)
      return true
    }).then((more = false) => more)

  async function trim(limit: number): Promise<boolean> {
    const messages = await trimOne('messages', limit)
    return (await trimOne('entries', limit)) || messages
  }

  const sweep = (userId: string) => sweepMessagesOf(pool, userId, () => stopped)

  /**
   * Completes erasures: those that were interrupted, and the messages that another node stored before it
   * noticed that the account was removed.
   */
  async function completeErasures(): Promise<void> {
    const removedBefore = Date.now() - timeoutMs - maxIdentityAgeMs
    const found = await runStep('cleaning', (sql) => findErasures(sql, removedBefore))
    for (const userId of found ?? []) {
      await sweep(userId)
      if (!stopped) await pool.write(({ $client }) => finishErasure($client, userId))
    }
  }

  /** In steps, since a statement that takes too long is cancelled. */
  async function pruneAllBatches(): Promise<void> {
    let pruned: number | undefined
    do pruned = await runStep('cleaning', (sql) => pruneBatches(sql, batchesPerStep))
    while (pruned === batchesPerStep && !stopped)
  }

  async function maintain(): Promise<void> {
    if (running) return
    running = true
    try {
      await completeErasures()
      await pruneAllBatches()
    } catch (error) {
      if (!stopped) onError(error)
    } finally {
      running = false
    }
  }

  const trimming = scheduleTrimming({ onError, trim })
  const timer = setInterval(maintain, intervalMs)
  void maintain()
  return {
    /** Erases the messages of a removed user. If it fails, the next maintenance continues. */
    async erase(userId: string): Promise<void> {
      try {
        await flush()
        await sweep(userId)
      } catch (error) {
        onError(error)
      }
    },
    stop() {
      stopped = true
      trimming.stop()
      clearInterval(timer)
    },
  }
}
