import { generateSecret } from '../../../src/auth/secrets.ts'
import { readConfig } from '../../../src/config.ts'
import { openStorage } from '../../../src/open-storage.ts'
import type { MessageLogEngine } from '../suites/message-log.ts'
import type { RoomsEngine } from '../suites/rooms/engine.ts'
import type { UsersEngine } from '../suites/users.ts'
import { observeLog } from './message-logs.ts'
import { sharedPostgres } from './postgres-server.ts'
import { createRoomActions } from './rooms.ts'

const secret = generateSecret()

interface RetentionOptions {
  readonly retentionDays?: number
  readonly retentionCount?: number
}

/** The configuration of one node. */
export const nodeConfig = (url: string, settings: Readonly<Record<string, string>> = {}) =>
  readConfig({ DATABASE_URL: url, JWT_SECRET: secret, ...settings }, [])

/** Creates an empty database and returns its URL. */
export async function createDatabase(): Promise<string> {
  const server = await sharedPostgres()
  return server.url(await server.createDatabase())
}

/** Opens the storage of one node. Errors of background work are collected. */
export async function openNode(url: string, settings: Readonly<Record<string, string>> = {}) {
  const errors: unknown[] = []
  let recoveries = 0
  const storage = await openStorage(nodeConfig(url, settings), {
    onError: (error) => errors.push(error),
    onRedisRecovered: () => recoveries++,
  })
  return {
    ...storage,
    ...observeLog(storage.messageLog),
    errors,
    /** How often Redis was reported to work again. */
    get recoveries() {
      return recoveries
    },
    async [Symbol.asyncDispose]() {
      await storage.messageLog.flush()
      await storage.close()
    },
  }
}

const retentionSettings = ({ retentionDays, retentionCount }: RetentionOptions = {}) => ({
  ...(retentionDays !== undefined && { MESSAGE_RETENTION_DAYS: String(retentionDays) }),
  ...(retentionCount !== undefined && { MESSAGE_RETENTION_COUNT: String(retentionCount) }),
})

export const postgresMessageLogs: MessageLogEngine = {
  name: 'PostgreSQL',
  async createStorage() {
    const url = await createDatabase()
    return {
      open: (options) => openNode(url, retentionSettings(options)),
      async [Symbol.asyncDispose]() {},
    }
  },
}

export const postgresUsers: UsersEngine = {
  name: 'PostgreSQL',
  async open() {
    const url = await createDatabase()
    const [own, others] = [await openNode(url), await openNode(url)]
    return {
      users: own.users,
      revocations: own.revocations,
      otherUsers: others.users,
      otherRevocations: others.revocations,
      messageLog: own.messageLog,
      async [Symbol.asyncDispose]() {
        await own[Symbol.asyncDispose]()
        await others[Symbol.asyncDispose]()
      },
    }
  },
}

/** Each opening is a node of its own. @param settings of all nodes */
export const postgresRooms = (
  name: string,
  settings: () => Readonly<Record<string, string>> = () => ({}),
): RoomsEngine => ({
  name,
  nodes: 3,
  async createStorage() {
    const url = await createDatabase()
    return {
      async open(options) {
        const node = await openNode(url, { ...settings(), ...retentionSettings(options) })
        return {
          ...createRoomActions(node),
          [Symbol.asyncDispose]: node[Symbol.asyncDispose],
        }
      },
      async [Symbol.asyncDispose]() {},
    }
  },
})

/** Opens nodes on one database. Disposing the result closes all of them. */
export async function openNodes(count: number) {
  const url = await createDatabase()
  // At the same time, so that they also migrate at the same time.
  const nodes = await Promise.all(Array.from({ length: count }, () => openNode(url)))
  const database = new URL(url).pathname.slice(1)
  return {
    url,
    nodes,
    node: (index: number) => nodes[index] as (typeof nodes)[number],
    async psql(text: string) {
      return (await sharedPostgres()).query(database, text)
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()))
    },
  }
}
