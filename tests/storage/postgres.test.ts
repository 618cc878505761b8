import { describe } from 'bun:test'
import { createPostgresLoginGuard } from '../../src/auth/login-guard.postgres.ts'
import { skipsPostgres } from '../fixtures/postgres-server.ts'
import { limitStoreSuite } from './suites/limit-store.ts'
import { loginGuardSuite } from './suites/login-guard.ts'
import { messageLogSuite } from './suites/message-log.ts'
import { rateLimitsSuite } from './suites/rate-limits.ts'
import { usersSuite } from './suites/users.ts'
import { createTables, openPool, postgresLimitStores, sharedRateLimits } from './support/limits.ts'
import { postgresMessageLogs, postgresUsers } from './support/postgres.ts'
import { stopPostgresAfterTests } from './support/postgres-server.ts'

stopPostgresAfterTests()

describe.skipIf(skipsPostgres)('PostgreSQL', () => {
  messageLogSuite(postgresMessageLogs)
  usersSuite(postgresUsers)
  loginGuardSuite({
    name: 'PostgreSQL',
    open: async (now) =>
      createPostgresLoginGuard({ pool: openPool(await createTables(), 'login guard', 4), now }),
  })
  limitStoreSuite(postgresLimitStores)
  rateLimitsSuite(sharedRateLimits('PostgreSQL', postgresLimitStores.open))
})
