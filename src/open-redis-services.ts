import { deriveSharedSecret } from './auth/shared-secret.ts'
import { createMessageIds } from './chats/message-ids.ts'
import { createRedisRangeExchange } from './chats/range-exchange.redis.ts'
import type { OpenRangeExchange } from './chats/range-exchange.ts'
import { createSignedRanges } from './chats/signed-ranges.ts'
import type { Config } from './config.ts'
import { createLimitKeys } from './limits/limit-keys.ts'
import { createRedisLimitStore } from './limits/limit-store.redis.ts'
import type { StorageOptions } from './open-storage.ts'
import { readPlace } from './storage/postgres/log-origin.ts'
import type { Pool } from './storage/postgres/pool.ts'
import { openRedis, type Redis } from './storage/redis/connection.ts'

interface RedisExchangeOptions {
  readonly redis: Redis
  readonly config: Config
  /** The epoch of the log. */
  readonly epoch: string
  /** The place of the database, which differs between a database and its copy. */
  readonly database: string
  readonly onError: (error: unknown) => void
}

/** Creates the exchange by which the nodes of one database, and no others, receive messages. */
function openExchange(options: RedisExchangeOptions): OpenRangeExchange {
  const { redis, config, epoch, database, onError } = options
  const ranges = createSignedRanges({
    key: deriveSharedSecret(config, 'message exchange'),
    scope: `${database} ${epoch}`,
    encodeId: createMessageIds(epoch).encode,
  })
  return createRedisRangeExchange({ redis, ranges, onError })
}

/** The services that use one Redis server do not share their limits, unless they share their database. */
function limitNamespace(config: Config, database: string): string {
  const hash = createLimitKeys(deriveSharedSecret(config, 'limit namespace'))
  return `parley:limits:${hash('database', database)}`
}

interface RedisServicesOptions extends Pick<StorageOptions, 'onError' | 'onRedisRecovered'> {
  readonly url: string
  readonly config: Config
  readonly pool: Pool
  readonly epoch: string
}

/** Connects to Redis. Does not wait for it: everything works without it. */
export async function openRedisServices(options: RedisServicesOptions) {
  const { url, config, pool, epoch, onError, onRedisRecovered } = options
  const database = await pool.attempt(({ $client }) => readPlace($client))
  const redis = openRedis({ url, onLost: onError, onRecovered: () => onRedisRecovered?.() })
  return {
    openExchange: openExchange({ redis, config, epoch, database, onError }),
    limitStore: createRedisLimitStore({ redis, namespace: limitNamespace(config, database) }),
    reconnects: redis.reconnects,
    close: redis.close,
  }
}
