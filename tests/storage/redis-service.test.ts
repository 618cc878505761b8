import { expect, test } from 'bun:test'
import { skipsPostgres } from '../fixtures/postgres-server.ts'
import { skipsRedis, startRedis } from '../fixtures/redis-server.ts'
import { startChild } from '../unit/support/child.ts'
import { createDatabase } from './support/postgres.ts'
import { stopPostgresAfterTests } from './support/postgres-server.ts'

stopPostgresAfterTests()

test.skipIf(skipsPostgres || skipsRedis)(
  'the service starts without Redis, logs one warning without the password, and one line when Redis is available',
  async () => {
    await using redis = await startRedis(['--requirepass', 'a-redis-password'], { started: false })
    await using service = await startChild({
      environment: {
        DATABASE_URL: await createDatabase(),
        REDIS_URL: redis.url,
        JWT_SECRET: 'k3Jv9qLz7Xw2Rb8Nf4Tc6Ym1Pd5Hs0Ga',
      },
    })
    const warning = JSON.parse(await service.waitFor(/redis unavailable/))
    expect(warning).toMatchObject({ level: 40, reason: expect.stringContaining(`127.0.0.1:${redis.port} `) })
    await redis.start()
    expect(JSON.parse(await service.waitFor(/redis available again/))).toMatchObject({ level: 30 })
    const log = await service.stop()
    expect(log.match(/redis unavailable/g)).toHaveLength(1)
    expect(log).not.toContain('a-redis-password')
  },
)
