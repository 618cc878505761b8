import { createMemoryLoginGuard } from './auth/login-guard.memory.ts'
import type { LoginGuard } from './auth/login-guard.ts'
import { createSqliteRevocations } from './auth/revocations.sqlite.ts'
import type { Revocations } from './auth/revocations.ts'
import { createSqliteMessageAdministration } from './chats/message-administration.sqlite.ts'
import { openSqliteMessageLog } from './chats/message-log.sqlite.ts'
import type { MessageAdministration, MessageLog } from './chats/message-log.ts'
import { type Clock, systemClock } from './clock.ts'
import type { Config } from './config.ts'
import type { ReadinessCode } from './contract/types.gen.ts'
import { createMemoryRateLimits } from './limits/rate-limits.memory.ts'
import type { RateLimits } from './limits/rate-limits.ts'
import { createMemoryUserSlots } from './limits/user-slots.memory.ts'
import type { UserSlots } from './limits/user-slots.ts'
import type { MaybePromise } from './maybe-promise.ts'
import type { LogMetrics, StorageMeasurements } from './metrics/metrics.ts'
import { createSqliteRoomAdministration } from './rooms/room-administration.sqlite.ts'
import { startRoomWork } from './rooms/room-work.sqlite.ts'
import { createSqliteRooms } from './rooms/rooms.sqlite.ts'
import type { RoomAdministration, Rooms } from './rooms/rooms.ts'
import { createChangeCounter } from './storage/sqlite/change-counter.ts'
import { openExistingSqlite, openSqlite } from './storage/sqlite/connection.ts'
import { measureFiles } from './storage/sqlite/measurements.ts'
import { createSqliteUsers } from './users/users.sqlite.ts'
import type { Users } from './users/users.ts'

/** The ports of the features, implemented on one engine. */
export interface Storage {
  readonly users: Users
  readonly revocations: Revocations
  readonly messageLog: MessageLog
  readonly rooms: Rooms
  /** Removes the user of a removed account from all rooms. If it fails, this is left to background work. */
  leaveRooms(userId: string): Promise<void>
  readonly loginGuard: LoginGuard
  readonly rateLimits: RateLimits
  readonly userSlots: UserSlots
  /** Why requests cannot be served now, or only some of them: codes of the document. */
  unmet(): readonly ReadinessCode[]
  /** The state of the storage, for metrics. */
  measure(): MaybePromise<StorageMeasurements>
  /** Closes the storage. Call it after `messageLog.flush()`. */
  close(): Promise<void>
}

export interface StorageOptions {
  /**
   * Called with errors of background work, for which no request is waiting; and once with LostStorage if
   * nothing can be stored any more.
   */
  readonly onError: (error: unknown) => void
  /** Called with what the operator has to know about the start. */
  readonly onNotice?: ((text: string) => void) | undefined
  /** Called when Redis, whose loss was reported to `onError`, works again. */
  readonly onRedisRecovered?: (() => void) | undefined
  /** Called when the nodes share their limits again, after LimitsNotShared was reported to `onError`. */
  readonly onLimitsShared?: (() => void) | undefined
  readonly clock?: Clock
  readonly metrics?: LogMetrics | undefined
}

/** What the log can tell now: it cannot if the database cannot be read. */
function measureLog(messageLog: MessageLog) {
  try {
    const measured = messageLog.measure()
    return measured instanceof Promise ? undefined : measured
  } catch {
    return undefined
  }
}

/**
 * Opens the storage that `config` selects, and applies pending migrations.
 *
 * @throws UnusableStorage if the service cannot start with it; the message says what to do
 */
export async function openStorage(
  config: Config,
  { onError, onNotice, onRedisRecovered, onLimitsShared, clock = systemClock, metrics }: StorageOptions,
): Promise<Storage> {
  if (config.databaseUrl !== undefined) {
    // Imported only here, so that the start without PostgreSQL does not load its client.
    const { openPostgresStorage } = await import('./open-postgres-storage.ts')
    return openPostgresStorage(
      { ...config, databaseUrl: config.databaseUrl },
      { onError, onNotice, onRedisRecovered, onLimitsShared, clock, metrics },
    )
  }
  const connection = openSqlite(config.dataDir, { onLost: onError })
  const { queries, write, commit } = connection
  const messageLog = openSqliteMessageLog({
    queries,
    write,
    commit,
    clock,
    retentionDays: config.messageRetentionDays,
    retentionCount: config.messageRetentionCount,
    onError,
    metrics,
  })
  const changes = createChangeCounter(queries.$client)
  const revocations = createSqliteRevocations({ queries, write, changes, onError })
  const work = startRoomWork({ queries, write, changes, log: messageLog, onError })
  return {
    users: createSqliteUsers({ queries, write, changes }),
    revocations,
    messageLog,
    rooms: createSqliteRooms(queries),
    // The removed account is marked, and this finds the mark.
    leaveRooms: work.run,
    loginGuard: createMemoryLoginGuard(() => systemClock.monotonicMs() / 1000),
    rateLimits: createMemoryRateLimits({ enabled: config.rateLimits, overrides: config.rateLimitOverrides }),
    userSlots: createMemoryUserSlots(config.maxSocketsPerUser),
    unmet: connection.unmet,
    measure: () => ({ ...measureFiles(config.dataDir), log: measureLog(messageLog) }),
    async close() {
      work.stop()
      messageLog.close()
      revocations.close()
      connection.close(onError)
    },
  }
}

/** What commands may do with the accounts and messages. */
export interface Administration {
  readonly users: Users
  readonly messages: MessageAdministration
  readonly rooms: RoomAdministration
  close(): MaybePromise<void>
}

/**
 * Opens the existing storage for a command, also while the service runs. It starts no background work.
 *
 * @throws UnusableStorage if there is no storage, or another release has to open it
 */
export async function openAdministration({
  dataDir,
  databaseUrl,
}: Pick<Config, 'dataDir' | 'databaseUrl'>): Promise<Administration> {
  if (databaseUrl !== undefined) {
    const { openPostgresAdministration } = await import('./open-postgres-storage.ts')
    return openPostgresAdministration(databaseUrl)
  }
  const connection = openExistingSqlite(dataDir)
  const { queries, write } = connection
  return {
    users: createSqliteUsers({ queries, write, changes: createChangeCounter(queries.$client) }),
    messages: createSqliteMessageAdministration({ queries, write }),
    rooms: createSqliteRoomAdministration({ queries, write }),
    close: connection.close,
  }
}
