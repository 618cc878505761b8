import { describe } from 'bun:test'
import { skipsPostgres } from '../fixtures/postgres-server.ts'
import { roomsSuite } from './suites/rooms.ts'
import { roomsModelSuite } from './suites/rooms-model.ts'
import { postgresRooms } from './support/postgres.ts'
import { stopPostgresAfterTests } from './support/postgres-server.ts'

stopPostgresAfterTests()

describe.skipIf(skipsPostgres)('PostgreSQL', () => {
  roomsSuite(postgresRooms)
  roomsModelSuite(postgresRooms, 6)
})
