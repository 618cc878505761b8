import { createPostgresLoginGuard } from './auth/login-guard.postgres.ts'
import { createPostgresRevocations } from './auth/revocations.postgres.ts'
import { createPostgresMessageAdministration } from './chats/message-administration.postgres.ts'
import { createEpoch } from './chats/message-ids.ts'
import { openPostgresMessageLog, type PostgresMessageLog } from './chats/message-log.postgres.ts'
import { type Clock, systemClock } from './clock.ts'
import { type Config, databaseUrlFault } from './config.ts'
import { createMemoryRateLimits } from './limits/rate-limits.memory.ts'
import type { Administration, Storage, StorageOptions } from './open-storage.ts'
import { LostStorage, UnusableStorage } from './storage/errors.ts'
import {
  type ChangeFeed,
  createChangeFeed,
  type FeedState,
  readFeed,
} from './storage/postgres/change-feed.ts'
import { openPostgres, type PostgresConnection } from './storage/postgres/connection.ts'
import { type Listener, listen } from './storage/postgres/listener.ts'
import { createPostgresUsers } from './users/users.postgres.ts'

type PostgresConfig = Config & { readonly databaseUrl: string }

function missing(): never {
  throw new Error('PostgreSQL has no rooms yet')
}
const missingRooms = { listOf: missing, listPublic: missing, get: missing, members: missing }

/** How often outdated revocations and failed logins are deleted. */
const pruningIntervalMs = 60_000

interface FollowOptions {
  readonly url: string
  readonly connection: PostgresConnection
  readonly initial: FeedState
  readonly messageLog: PostgresMessageLog
  readonly onError: (error: unknown) => void
}

/** Follows the changes that other nodes and programs make: by notifications and, in any case, by reading. */
function follow({ url, connection, initial, messageLog, onError }: FollowOptions) {
  let { removals } = initial
  let lost = false

  /** @throws LostStorage if the log is behind what clients have received, for example after a failover */
  async function read(): Promise<FeedState> {
    const applied = messageLog.applied()
    const state = await readFeed(connection.feed)
    if (state.epoch !== initial.epoch || state.head < applied) {
      lost = true
      const error = new LostStorage(
        'DATABASE_URL: the database has been replaced, or has lost messages that clients have received. ' +
          'Restart all nodes. If messages were lost, change the epoch first (docs/scaling.md).',
      )
      messageLog.refuseAppends(error)
      throw error
    }
    return state
  }

  const feed: ChangeFeed = createChangeFeed({
    initial,
    read,
    onError,
    onState(state) {
      if (state.removals !== removals) messageLog.forgetRecent()
      removals = state.removals
      messageLog.hear(state.head)
      listener.compare(state.head)
    },
  })
  const listener: Listener = listen({
    url,
    onNotification(notification) {
      if (notification.kind === 'head') messageLog.hear(notification.head, notification.session)
      else feed.wake()
    },
    onListening() {
      feed.wake()
    },
  })
  return {
    feed,
    isReady: () => !lost && feed.isReady(),
    async close() {
      feed.close()
      await listener.close()
    },
  }
}

/** Deletes, once a minute, what has expired. */
function schedulePruning(prune: readonly (() => Promise<void>)[], onError: (error: unknown) => void) {
  let closed = false
  async function run(): Promise<void> {
    for (const each of prune) {
      try {
        await each()
      } catch (error) {
        if (!closed) onError(error)
      }
    }
  }
  const timer = setInterval(run, pruningIntervalMs)
  void run()
  return {
    stop() {
      closed = true
      clearInterval(timer)
    },
  }
}

/**
 * Opens the PostgreSQL database that all nodes share, and applies pending migrations.
 *
 * @throws UnusableStorage if the service cannot start with it; the message says what to do
 */
export async function openPostgresStorage(
  config: PostgresConfig,
  { onError, clock = systemClock }: StorageOptions & { readonly clock?: Clock },
): Promise<Storage> {
  const url = config.databaseUrl
  const timeoutMs = config.storageTimeoutSeconds * 1000
  const connection = await openPostgres({ url, timeoutMs, epoch: createEpoch() })
  const { pool, appends } = connection
  const initial = await readFeed(connection.pool)
  const messageLog = openPostgresMessageLog({
    pool,
    appends,
    epoch: initial.epoch,
    head: initial.head,
    clock,
    retentionDays: config.messageRetentionDays,
    retentionCount: config.messageRetentionCount,
    timeoutMs,
    onError,
  })
  const changes = follow({ url, connection, initial, messageLog, onError })
  const revocations = createPostgresRevocations({ pool, feed: changes.feed })
  const loginGuard = createPostgresLoginGuard({ pool })
  const pruning = schedulePruning([revocations.prune, loginGuard.prune], onError)
  return {
    users: createPostgresUsers({ pool, feed: changes.feed }),
    revocations,
    messageLog,
    rooms: missingRooms,
    leaveRooms: async () => {},
    loginGuard,
    rateLimits: createMemoryRateLimits({ enabled: config.rateLimits, overrides: config.rateLimitOverrides }),
    isReady: changes.isReady,
    async close() {
      messageLog.close()
      pruning.stop()
      await changes.close()
      await connection.close()
    },
  }
}

/** How long a command waits for the database. */
const commandTimeoutMs = 25_000

/**
 * Opens the database for a command, also while nodes run. It starts no background work.
 *
 * @throws UnusableStorage if no node has created the tables, or another release has to open them
 */
export async function openPostgresAdministration(url: string): Promise<Administration> {
  const fault = databaseUrlFault(url)
  if (fault !== undefined) throw new UnusableStorage(fault)
  const connection = await openPostgres({ url, timeoutMs: commandTimeoutMs })
  const { pool } = connection
  // A command caches no identities.
  const feed = { version: () => 0, countOwn() {} }
  return {
    users: createPostgresUsers({ pool, feed }),
    messages: createPostgresMessageAdministration(pool),
    rooms: { ...missingRooms, list: missing, find: missing, request: missing },
    close: connection.close,
  }
}
