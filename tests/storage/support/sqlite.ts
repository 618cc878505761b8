import { Database } from 'bun:sqlite'
import { join } from 'node:path'
import { drizzle } from 'drizzle-orm/bun-sqlite'
import { createSqliteRevocations } from '../../../src/auth/revocations.sqlite.ts'
import { openSqliteMessageLog } from '../../../src/chats/message-log.sqlite.ts'
import { systemClock } from '../../../src/clock.ts'
import { startRoomWork } from '../../../src/rooms/room-work.sqlite.ts'
import { createSqliteRooms } from '../../../src/rooms/rooms.sqlite.ts'
import { createChangeCounter } from '../../../src/storage/sqlite/change-counter.ts'
import { openSqlite, type Queries } from '../../../src/storage/sqlite/connection.ts'
import { withStorageErrors } from '../../../src/storage/sqlite/errors.ts'
import { createSqliteUsers } from '../../../src/users/users.sqlite.ts'
import { temporaryFolder } from '../../unit/support/service.ts'
import type { MessageLogEngine } from '../suites/message-log.ts'
import type { RoomsEngine } from '../suites/rooms/engine.ts'
import type { UsersEngine } from '../suites/users.ts'
import { observeLog } from './message-logs.ts'
import { createRoomActions } from './rooms.ts'

/** Opens a message log in `path`. Disposing it closes the database, as the end of the process does. */
export function openSqliteLog(
  path: string,
  { retentionDays = 30, retentionCount = 1_000_000, clock = systemClock } = {},
) {
  const { queries, write, commit, close } = openSqlite(path)
  const options = { clock, retentionDays, retentionCount, onError() {} }
  const log = openSqliteMessageLog({ queries, write, commit, ...options })
  return {
    ...observeLog(log),
    queries,
    async [Symbol.asyncDispose]() {
      await log.flush()
      log.close()
      close()
    },
  }
}

export const sqliteMessageLogs: MessageLogEngine = {
  name: 'SQLite',
  async createStorage() {
    const folder = await temporaryFolder()
    return {
      open: async (options) => openSqliteLog(folder.path, options),
      [Symbol.asyncDispose]: folder[Symbol.asyncDispose],
    }
  },
}

export const sqliteRooms: RoomsEngine = {
  name: 'SQLite',
  async createStorage() {
    const folder = await temporaryFolder()
    return {
      async open(options) {
        const opened = openSqliteLog(folder.path, options)
        const { queries, log } = opened
        const changes = createChangeCounter(queries.$client)
        const work = startRoomWork({ queries, write: withStorageErrors, changes, log, onError() {} })
        return {
          ...createRoomActions({
            log,
            rooms: createSqliteRooms(queries),
            users: createSqliteUsers({ queries, changes }),
            leaveRooms: work.run,
          }),
          async [Symbol.asyncDispose]() {
            work.stop()
            await opened[Symbol.asyncDispose]()
          },
        }
      },
      [Symbol.asyncDispose]: folder[Symbol.asyncDispose],
    }
  },
}

/** Opens the database file of `path` as another program does, without the lock of the folder. */
export const openOtherConnection = (path: string) => new Database(join(path, 'parley.sqlite'))

export const sqliteUsers: UsersEngine = {
  name: 'SQLite',
  async open() {
    const folder = await temporaryFolder()
    const log = openSqliteLog(folder.path)
    const other = openOtherConnection(folder.path)
    const port = (queries: Queries) => {
      const changes = createChangeCounter(queries.$client)
      return {
        users: createSqliteUsers({ queries, changes }),
        revocations: createSqliteRevocations({ queries, changes, onError() {} }),
      }
    }
    const [own, others] = [port(log.queries), port(drizzle(other))]
    return {
      users: own.users,
      revocations: own.revocations,
      otherUsers: others.users,
      otherRevocations: others.revocations,
      messageLog: log.log,
      async [Symbol.asyncDispose]() {
        own.revocations.close()
        others.revocations.close()
        other.close()
        await log[Symbol.asyncDispose]()
        await folder[Symbol.asyncDispose]()
      },
    }
  },
}
