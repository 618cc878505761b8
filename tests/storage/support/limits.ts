import { createPostgresLimitStore } from '../../../src/limits/limit-store.postgres.ts'
import { createRedisLimitStore } from '../../../src/limits/limit-store.redis.ts'
import { openSharedLimits, type SharedLimits } from '../../../src/limits/shared-limits.ts'
import { createPool, type Pool } from '../../../src/storage/postgres/pool.ts'
import { openRedis } from '../../../src/storage/redis/connection.ts'
import type { RedisServer } from '../../fixtures/redis-server.ts'
import type { LimitStoreEngine } from '../suites/limit-store.ts'
import type { RateLimitsEngine } from '../suites/rate-limits.ts'
import { createDatabase, openNode } from './postgres.ts'

/** Creates a database with the tables of the service, and returns its URL. */
export async function createTables(): Promise<string> {
  const url = await createDatabase()
  await (await openNode(url))[Symbol.asyncDispose]()
  return url
}

export const openPool = (url: string, name: string, size: number) =>
  createPool({ url, name, size, attemptMs: 5000 })

/** The pools of six nodes on one database, which the tests of a file use one after the other. */
let pools: Promise<Pool[]> | undefined

async function openPools(): Promise<Pool[]> {
  const url = await createTables()
  return Array.from({ length: 6 }, () => openPool(url, 'limits', 1))
}

export const postgresLimitStores: LimitStoreEngine = {
  name: 'PostgreSQL',
  async open(now) {
    pools ??= openPools()
    const all = await pools
    await all[0]?.write(({ $client }) =>
      $client.unsafe('truncate parley.limit_nodes, parley.request_counts, parley.socket_counts').execute(),
    )
    let opened = 0
    return () => createPostgresLimitStore({ pool: all[opened++] as Pool, now })
  },
}

let opened = 0

/** Each test has its own namespace on the server. */
export const redisLimitStores = (server: () => RedisServer): LimitStoreEngine => ({
  name: 'Redis',
  open(now) {
    const namespace = `test:${++opened}`
    const redis = openRedis({ url: server().url, onLost() {}, onRecovered() {} })
    return async () => {
      const store = createRedisLimitStore({ redis, namespace, now })
      while (
        !(await store.leave().then(
          () => true,
          () => false,
        ))
      )
        await Bun.sleep(1)
      return store
    }
  },
})

/** The rate limits that nodes share by a store. */
export function sharedRateLimits(name: string, openStore: LimitStoreEngine['open']): RateLimitsEngine {
  const opened: SharedLimits[] = []
  return {
    name,
    async open({ enabled, overrides, now }) {
      const connect = await openStore(now)
      const limits = await openSharedLimits({
        store: await connect(),
        secret: new Uint8Array(32),
        rateLimits: enabled,
        rateLimitOverrides: overrides,
        maxSocketsPerUser: 10,
        now,
        onError(error) {
          throw error
        },
      })
      opened.push(limits)
      return limits.rateLimits
    },
    async close() {
      for (const limits of opened.splice(0)) await limits.close()
    },
  }
}
