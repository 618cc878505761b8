import { describe } from 'bun:test'
import { createPostgresLoginGuard } from '../../src/auth/login-guard.postgres.ts'
import { createPool } from '../../src/storage/postgres/pool.ts'
import { skipsPostgres } from '../fixtures/postgres-server.ts'
import { loginGuardSuite } from './suites/login-guard.ts'
import { messageLogSuite } from './suites/message-log.ts'
import { usersSuite } from './suites/users.ts'
import { createDatabase, openNode, postgresMessageLogs, postgresUsers } from './support/postgres.ts'
import { stopPostgresAfterTests } from './support/postgres-server.ts'

stopPostgresAfterTests()

describe.skipIf(skipsPostgres)('PostgreSQL', () => {
  messageLogSuite(postgresMessageLogs)
  usersSuite(postgresUsers)
  loginGuardSuite({
    name: 'PostgreSQL',
    async open(now) {
      const url = await createDatabase()
      // Creates the tables.
      await (await openNode(url))[Symbol.asyncDispose]()
      return createPostgresLoginGuard({
        pool: createPool({ url, name: 'login guard', size: 4, attemptMs: 5000 }),
        now,
      })
    },
  })
})
