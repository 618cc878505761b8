import { deriveSharedSecret } from './auth/shared-secret.ts'
import { createMessageIds } from './chats/message-ids.ts'
import { createRedisRangeExchange } from './chats/range-exchange.redis.ts'
import type { OpenRangeExchange } from './chats/range-exchange.ts'
import { createSignedRanges } from './chats/signed-ranges.ts'
import type { Config } from './config.ts'
import type { Redis } from './storage/redis/connection.ts'

interface RedisExchangeOptions {
  readonly redis: Redis
  readonly config: Config
  /** The epoch of the log. */
  readonly epoch: string
  /** The identity of the database, which differs between a database and its copy. */
  readonly database: string
  readonly onError: (error: unknown) => void
}

/** Creates the exchange by which the nodes of one database, and no others, receive messages. */
export function openRedisExchange(options: RedisExchangeOptions): OpenRangeExchange {
  const { redis, config, epoch, database, onError } = options
  const ranges = createSignedRanges({
    key: deriveSharedSecret(config, 'message exchange'),
    scope: `${database} ${epoch}`,
    encodeId: createMessageIds(epoch).encode,
  })
  return createRedisRangeExchange({ redis, ranges, onError })
}
