import { afterAll, beforeAll, describe } from 'bun:test'
import { type RedisServer, skipsRedis, startRedis } from '../fixtures/redis-server.ts'
import { limitStoreSuite } from './suites/limit-store.ts'
import { rateLimitsSuite } from './suites/rate-limits.ts'
import { redisLimitStores, sharedRateLimits } from './support/limits.ts'

describe.skipIf(skipsRedis)('Redis', () => {
  let server: RedisServer

  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
  })

  const stores = redisLimitStores(() => server)
  limitStoreSuite(stores)
  rateLimitsSuite(sharedRateLimits('Redis', stores.open))
})
