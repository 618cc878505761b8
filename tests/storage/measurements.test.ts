import { expect, test } from 'bun:test'
import { skipsPostgres } from '../fixtures/postgres-server.ts'
import { skipsRedis, startRedis } from '../fixtures/redis-server.ts'
import { startTcpProxy } from '../fixtures/tcp-proxy.ts'
import { until } from './support/message-logs.ts'
import { createDatabase, openNode } from './support/postgres.ts'
import { sharedPostgres, stopPostgresAfterTests } from './support/postgres-server.ts'

stopPostgresAfterTests()

type Node = Awaited<ReturnType<typeof openNode>>

async function append({ users, messageLog }: Node, username: string, count: number): Promise<void> {
  const user = await users.add(username, 'no hash')
  if (!user) throw new Error(`${username} is taken`)
  const messages = Array.from({ length: count }, (_, index) => `${index}`)
  await Promise.all(
    messages.map((message) => messageLog.append({ user, message, idempotencyKey: undefined })),
  )
}

test.skipIf(skipsPostgres)('a node measures the database, the log and its lag', async () => {
  await using node = await openNode(await createDatabase())
  const { log: empty } = await node.measure()
  expect(empty).toEqual({ positions: 0, oldestSentAt: undefined })
  await append(node, 'someone', 5)
  const { databaseBytes, log, node: measured, limitsShared, reconnects } = await node.measure()
  expect(databaseBytes).toBeGreaterThan(1_000_000)
  expect(log?.positions).toBe(5)
  expect(Math.abs((log?.oldestSentAt ?? 0) - Date.now())).toBeLessThan(600_000)
  expect(measured).toMatchObject({ lagMessages: 0, healings: 0 })
  expect(limitsShared).toBe(true)
  expect(reconnects).toEqual({ postgresql: 0 })
})

test.skipIf(skipsPostgres)(
  'a node counts what it had to read, and the connections that it has replaced',
  async () => {
    const server = await sharedPostgres()
    await using proxy = await startTcpProxy(server.port)
    const url = await createDatabase()
    await using writer = await openNode(url)
    await using reader = await openNode(url.replace(`:${server.port}/`, `:${proxy.port}/`))
    await append(writer, 'someone', 20)
    await until(() => reader.messageLog.head() === writer.messageLog.head())
    expect((await reader.measure()).node?.healings).toBeGreaterThan(0)
    expect((await reader.measure()).node?.lagMessages).toBe(0)
    // Long enough for reads of the feed, which are given up after 0.4 seconds.
    proxy.delayResponses(600)
    await until(async () => ((await reader.measure()).reconnects?.postgresql ?? 0) > 0)
    proxy.delayResponses(0)
    await until(async () => ((await reader.measure()).node?.feedAge ?? 1) < 0.5)
    expect((await writer.measure()).reconnects).toEqual({ postgresql: 0 })
  },
)

test.skipIf(skipsPostgres || skipsRedis)(
  'a node counts reconnects of Redis, and whether limits are shared',
  async () => {
    await using redis = await startRedis()
    await using node = await openNode(await createDatabase(), { REDIS_URL: redis.url })
    await until(async () => (await node.measure()).limitsShared === true)
    expect((await node.measure()).reconnects?.redis).toBe(0)
    await redis.kill()
    await until(async () => (await node.measure()).limitsShared === false)
    await redis.start()
    await until(async () => ((await node.measure()).reconnects?.redis ?? 0) > 0)
    await until(async () => (await node.measure()).limitsShared === true)
  },
)
