import { createPostgresLoginGuard } from './auth/login-guard.postgres.ts'
import { createPostgresRevocations } from './auth/revocations.postgres.ts'
import { deriveSharedSecret } from './auth/shared-secret.ts'
import { createPostgresMessageAdministration } from './chats/message-administration.postgres.ts'
import { createEpoch } from './chats/message-ids.ts'
import { openPostgresMessageLog, type PostgresMessageLog } from './chats/message-log.postgres.ts'
import { type Clock, systemClock } from './clock.ts'
import { type Config, databaseUrlFault } from './config.ts'
import { followPostgres } from './follow-postgres.ts'
import { createPostgresLimitStore } from './limits/limit-store.postgres.ts'
import { openSharedLimits, type SharedLimits } from './limits/shared-limits.ts'
import type { StorageMeasurements } from './metrics/metrics.ts'
import type { Administration, Storage, StorageOptions } from './open-storage.ts'
import { createPostgresRoomAdministration } from './rooms/room-administration.postgres.ts'
import { createRoomWork } from './rooms/room-work.postgres.ts'
import { createPostgresRooms } from './rooms/rooms.postgres.ts'
import { UnusableStorage } from './storage/errors.ts'
import { type ChangeFeed, readFeed } from './storage/postgres/change-feed.ts'
import { openPostgres, type PostgresConnection } from './storage/postgres/connection.ts'
import { startEpoch } from './storage/postgres/log-origin.ts'
import { readDatabaseSize } from './storage/postgres/measurements.ts'
import type { Pool } from './storage/postgres/pool.ts'
import { createPostgresUsers } from './users/users.postgres.ts'

type PostgresConfig = Config & { readonly databaseUrl: string }

/** How long a scrape of the metrics waits for the database. */
const maxMeasurementMs = 1000

/** How often outdated revocations and failed logins are deleted. */
const pruningIntervalMs = 60_000

interface RedisOptions extends Pick<StorageOptions, 'onError' | 'onRedisRecovered'> {
  readonly config: Config
  readonly pool: Pool
  readonly epoch: string
}

async function openRedis(options: RedisOptions) {
  const { redisUrl: url } = options.config
  if (url === undefined) return undefined
  // Imported only here, so that the start without Redis does not load its client.
  const { openRedisServices } = await import('./open-redis-services.ts')
  return openRedisServices({ ...options, url })
}

interface MeasurementOptions {
  readonly connection: PostgresConnection
  readonly messageLog: PostgresMessageLog
  readonly changes: { readonly feed: ChangeFeed; reconnects(): number }
  readonly limits: Pick<SharedLimits, 'isShared'>
  readonly redis: { reconnects(): number } | undefined
}

/** The state of the database and of this node. A scrape does not wait for a database that does not respond. */
function createMeasurement({ connection, messageLog, changes, limits, redis }: MeasurementOptions) {
  const pools = [connection.pool, connection.appends, connection.feed, connection.limits]
  /** What the database has told, or undefined if it is late. */
  function ask<Result>(question: Promise<Result>): Promise<Result | undefined> {
    const answer = question.catch(() => undefined)
    return Promise.race([answer, Bun.sleep(maxMeasurementMs).then(() => undefined)])
  }
  return async (): Promise<StorageMeasurements> => {
    const [databaseBytes, log] =
      changes.feed.unmet().length === 0
        ? await Promise.all([
            ask(readDatabaseSize(connection.pool)),
            ask(Promise.resolve(messageLog.measure())),
          ])
        : []
    return {
      databaseBytes,
      log,
      node: { ...messageLog.measureNode(), feedAge: changes.feed.age() },
      limitsShared: limits.isShared(),
      reconnects: {
        ...(redis && { redis: redis.reconnects() }),
        postgresql: changes.reconnects() + pools.reduce((sum, pool) => sum + pool.reconnects(), 0),
      },
    }
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
  {
    onError,
    onNotice,
    onRedisRecovered,
    onLimitsShared,
    clock = systemClock,
    metrics,
  }: StorageOptions & { readonly clock?: Clock },
): Promise<Storage> {
  const url = config.databaseUrl
  const timeoutMs = config.storageTimeoutSeconds * 1000
  const replication = config.databaseReplication
  const connection = await openPostgres({ url, timeoutMs, epoch: createEpoch(), replication })
  if (connection.startedEpoch) {
    onNotice?.(
      'DATABASE_URL: the database was restored, or a standby was promoted, so messages may be missing. The log has a ' +
        'new epoch: clients that resume receive a gap and all stored messages.',
    )
  }
  const { pool, appends } = connection
  const initial = await readFeed(connection.pool)
  const redis = await openRedis({ config, pool, epoch: initial.epoch, onError, onRedisRecovered })
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
    openExchange: redis?.openExchange,
    metrics,
  })
  const roomWork = createRoomWork({
    pool,
    log: messageLog,
    findUser: async (username) => (await users.findCredentials(username))?.user,
    onError,
  })
  const changes = followPostgres({
    url,
    connection,
    initial,
    messageLog,
    replication,
    onRoomWork: roomWork.notice,
    onError,
  })
  const users = createPostgresUsers({ pool, feed: changes.feed })
  const revocations = createPostgresRevocations({ pool, feed: changes.feed })
  const loginGuard = createPostgresLoginGuard({ pool })
  const postgresLimits = createPostgresLimitStore({ pool: connection.limits })
  const limits = await openSharedLimits({
    ...config,
    store: redis?.limitStore ?? postgresLimits,
    secret: deriveSharedSecret(config, 'limits'),
    onError,
    onLimitsShared,
    now: () => systemClock.monotonicMs() / 1000,
  })
  const pruning = schedulePruning([revocations.prune, loginGuard.prune, postgresLimits.prune], onError)
  return {
    users,
    revocations,
    messageLog,
    rooms: createPostgresRooms(pool),
    // The removed account is marked, and this finds the mark.
    leaveRooms: roomWork.run,
    loginGuard,
    rateLimits: limits.rateLimits,
    userSlots: limits.userSlots,
    unmet: changes.unmet,
    measure: createMeasurement({ connection, messageLog, changes, limits, redis }),
    async close() {
      roomWork.stop()
      messageLog.close()
      pruning.stop()
      await limits.close()
      redis?.close()
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
    rooms: createPostgresRoomAdministration(pool),
    close: connection.close,
  }
}

/** Gives the log a new epoch: the database was restored in a way that no node can notice. Returns the epoch. */
export async function startNewEpoch(url: string): Promise<string> {
  const fault = databaseUrlFault(url)
  if (fault !== undefined) throw new UnusableStorage(fault)
  const connection = await openPostgres({ url, timeoutMs: commandTimeoutMs })
  try {
    const epoch = createEpoch()
    const { epoch: before } = await readFeed(connection.pool)
    await connection.pool.write(({ $client }) => startEpoch($client, epoch, before))
    return epoch
  } finally {
    await connection.close()
  }
}
