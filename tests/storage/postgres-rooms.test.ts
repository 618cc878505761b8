import { afterAll, beforeAll, describe } from 'bun:test'
import { skipsPostgres } from '../fixtures/postgres-server.ts'
import { type RedisServer, skipsRedis, startRedis } from '../fixtures/redis-server.ts'
import { roomsSuite } from './suites/rooms.ts'
import { roomsModelSuite } from './suites/rooms-model.ts'
import { postgresRooms } from './support/postgres.ts'
import { stopPostgresAfterTests } from './support/postgres-server.ts'

stopPostgresAfterTests()

describe.skipIf(skipsPostgres)('PostgreSQL', () => {
  roomsSuite(postgresRooms('PostgreSQL'))
  roomsModelSuite(postgresRooms('PostgreSQL'), 6)
})

describe.skipIf(skipsPostgres || skipsRedis)('PostgreSQL with Redis', () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis[Symbol.asyncDispose]())
  roomsModelSuite(
    postgresRooms('PostgreSQL with Redis', () => ({ REDIS_URL: redis.url })),
    3,
  )
})
