import { describe, expect, test } from 'bun:test'
import { RedisUnavailable } from '../../src/storage/errors.ts'
import { skipsPostgres } from '../fixtures/postgres-server.ts'
import { type RedisServer, skipsRedis, startRedis } from '../fixtures/redis-server.ts'
import { startTcpProxy } from '../fixtures/tcp-proxy.ts'
import { numbered, textsOf, until } from './support/message-logs.ts'
import { createDatabase, openNode } from './support/postgres.ts'
import { sharedPostgres, stopPostgresAfterTests } from './support/postgres-server.ts'

stopPostgresAfterTests()

type Node = Awaited<ReturnType<typeof openNode>>

/** The channels that nodes have subscribed to. */
const channels = (redis: RedisServer) => redis.command('PUBSUB', 'CHANNELS', 'parley:*') as Promise<string[]>

/** Waits until this number of nodes is subscribed to the channel. */
async function subscribed(redis: RedisServer, count: number): Promise<string> {
  let channel = ''
  await until(async () => {
    channel = (await channels(redis))[0] ?? ''
    const subscribers = await redis.command('PUBSUB', 'NUMSUB', channel)
    return Number((subscribers as unknown[])[1] ?? 0) >= count
  })
  return channel
}

/** Records what is published on all channels. */
async function recordPublished(redis: RedisServer): Promise<string[]> {
  const published: string[] = []
  const client = new Bun.RedisClient(redis.url, { autoReconnect: false })
  await client.connect()
  await client.send('CLIENT', ['SETNAME', 'recorder'])
  const channel = await subscribed(redis, 1)
  await client.subscribe(channel, (text) => void (!text.startsWith('beat ') && published.push(text)))
  return published
}

/** A node whose connection to the database can be interrupted for ever. */
async function openBehindProxy(url: string, settings: Readonly<Record<string, string>>) {
  const { port } = await sharedPostgres()
  const proxy = await startTcpProxy(port)
  const node = await openNode(url.replace(`:${port}/`, `:${proxy.port}/`), settings)
  return { node, loseDatabase: () => proxy[Symbol.asyncDispose]() }
}

async function appendAll(nodes: readonly Node[], count: number, name = ''): Promise<void> {
  await Promise.all(
    nodes.flatMap((node, index) => numbered(1, count).map((text) => node.append(`${name}${index} ${text}`))),
  )
}

async function expectSameMessages(nodes: readonly Node[], count: number): Promise<void> {
  await until(() => nodes.every(({ broadcast }) => broadcast.length >= count))
  for (const { broadcast } of nodes) expect(broadcast).toEqual((nodes[0] as Node).broadcast)
  expect(new Set((nodes[0] as Node).broadcastIds()).size).toBe(count)
}

async function openCluster(redis: RedisServer) {
  const database = await createDatabase()
  const settings = { REDIS_URL: redis.url }
  const nodes = [await openNode(database, settings), await openNode(database, settings)]
  return {
    database,
    settings,
    nodes,
    writer: nodes[0] as Node,
    reader: nodes[1] as Node,
    async [Symbol.asyncDispose]() {
      await Promise.all(nodes.map((node) => node[Symbol.asyncDispose]()))
    },
  }
}

describe.skipIf(skipsPostgres || skipsRedis)('nodes with Redis', () => {
  test('receive messages without reading them from the database', async () => {
    await using redis = await startRedis()
    const database = await createDatabase()
    const settings = { REDIS_URL: redis.url }
    await using writer = await openNode(database, settings)
    const { node, loseDatabase } = await openBehindProxy(database, settings)
    await using reader = node
    await subscribed(redis, 2)
    await loseDatabase()
    await appendAll([writer], 200)
    await until(() => reader.broadcast.length === 200)
    expect(reader.broadcast).toEqual(writer.broadcast)
  })

  test('and one without Redis broadcast all messages in the same order', async () => {
    await using redis = await startRedis()
    await using cluster = await openCluster(redis)
    await using without = await openNode(cluster.database)
    await subscribed(redis, 2)
    const nodes = [...cluster.nodes, without]
    await appendAll(nodes, 200)
    await expectSameMessages(nodes, 600)
    for (const { errors } of nodes) expect(errors).toEqual([])
  })

  test('deliver everything while Redis is killed, and report it once', async () => {
    await using redis = await startRedis()
    await using cluster = await openCluster(redis)
    const { nodes } = cluster
    await subscribed(redis, 2)
    await appendAll(nodes, 50, 'before ')
    await redis.kill()
    await appendAll(nodes, 50, 'without ')
    await expectSameMessages(nodes, 200)
    await until(() => nodes.every(({ errors }) => errors.length > 0))
    for (const { errors } of nodes) expect(errors).toEqual([expect.any(RedisUnavailable)])
    await redis.start()
    await subscribed(redis, 2)
    await until(() => nodes.every(({ recoveries }) => recoveries > 0))
    await appendAll(nodes, 50, 'after ')
    await expectSameMessages(nodes, 300)
  })

  test('append and deliver while Redis is frozen', async () => {
    await using redis = await startRedis()
    await using cluster = await openCluster(redis)
    const { nodes } = cluster
    await subscribed(redis, 2)
    redis.freeze()
    for (const round of numbered(1, 20)) await appendAll(nodes, 5, `${round} `)
    await expectSameMessages(nodes, 200)
    await until(() => nodes.every(({ errors }) => errors.length > 0))
    redis.thaw()
    await until(() => nodes.every(({ recoveries }) => recoveries > 0))
    await appendAll(nodes, 20, 'after ')
    await expectSameMessages(nodes, 240)
  })

  test('start without Redis, and use it as soon as it is available', async () => {
    await using redis = await startRedis([], { started: false })
    await using cluster = await openCluster(redis)
    const { nodes } = cluster
    await appendAll(nodes, 20)
    await expectSameMessages(nodes, 40)
    await until(() => nodes.every(({ errors }) => errors.length > 0))
    await redis.start()
    await subscribed(redis, 2)
    const published = await recordPublished(redis)
    await until(() => nodes.every(({ recoveries }) => recoveries > 0))
    await appendAll(nodes, 20, 'after ')
    await until(() => published.length > 0)
    await expectSameMessages(nodes, 80)
  })

  test('receive what was sent while their subscriptions were cut', async () => {
    await using redis = await startRedis()
    await using cluster = await openCluster(redis)
    await subscribed(redis, 2)
    for (const round of numbered(1, 10)) {
      const appended = appendAll(cluster.nodes, 5, `${round} `)
      await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
      await redis.command('FLUSHALL')
      await appended
    }
    await expectSameMessages(cluster.nodes, 100)
  })

  test('deliver everything although they may not publish, and report it once', async () => {
    await using redis = await startRedis()
    await using cluster = await openCluster(redis)
    const { nodes } = cluster
    await subscribed(redis, 2)
    await redis.command('ACL', 'SETUSER', 'default', '-publish')
    await until(() => nodes.every(({ errors }) => errors.length > 0))
    await appendAll(nodes, 20)
    await expectSameMessages(nodes, 40)
    await redis.command('ACL', 'SETUSER', 'default', '+publish')
    await until(() => nodes.every(({ recoveries }) => recoveries > 0))
    for (const { errors } of nodes) {
      expect(errors).toEqual([expect.objectContaining({ message: expect.stringContaining('NOPERM') })])
    }
  })
})

describe.skipIf(skipsPostgres || skipsRedis)('on a Redis server that others use, too', () => {
  test('forged, changed and repeated messages reach no client, and are reported once', async () => {
    await using redis = await startRedis()
    await using cluster = await openCluster(redis)
    const { writer, reader } = cluster
    const channel = await subscribed(redis, 2)
    const published = await recordPublished(redis)
    await writer.append('m1')
    await until(() => published.length === 1 && reader.broadcast.length === 1)
    const [text = ''] = published
    const forged = text.replace('"m1"', '"forged"').replace(/\n0 1\n/, '\n1 2\n')
    const attempts = [text, text, forged, text.replace(/\n0 1\n/, '\n1 2\n'), 'x', '', '\n\n', '1 2\n{}']
    for (const attempt of attempts) await redis.command('PUBLISH', channel, attempt)
    await until(() => reader.errors.length > 0)
    await writer.append('m2')
    await until(() => reader.broadcast.length === 2)
    expect(reader.broadcastTexts()).toEqual(['m1', 'm2'])
    expect(await textsOf(reader.log.readAfter(undefined, 10))).toEqual(['m1', 'm2'])
    // A busy machine may lose Redis for a moment.
    expect(reader.errors.filter((error) => !(error instanceof RedisUnavailable))).toEqual([
      expect.objectContaining({ message: expect.stringContaining('no node has signed') }),
    ])
  })

  test('each database has its own channel, and does not accept the messages of another one', async () => {
    await using redis = await startRedis()
    await using cluster = await openCluster(redis)
    const channel = await subscribed(redis, 2)
    const published = await recordPublished(redis)
    await using other = await openNode(await createDatabase(), cluster.settings)
    await until(async () => (await channels(redis)).length === 2)
    await cluster.writer.append('m1')
    await until(() => published.length === 1)
    const otherChannel = (await channels(redis)).find((each) => each !== channel) as string
    await redis.command('PUBLISH', otherChannel, published[0] as string)
    await until(() => other.errors.length > 0)
    expect(other.broadcast).toEqual([])
  })

  test('a copy of a database has another epoch and another channel', async () => {
    await using redis = await startRedis()
    await using cluster = await openCluster(redis)
    await subscribed(redis, 2)
    await Promise.all(cluster.nodes.map((node) => node[Symbol.asyncDispose]()))
    cluster.nodes.length = 0
    const name = new URL(cluster.database).pathname.slice(1)
    const postgres = await sharedPostgres()
    await until(async () => (await postgres.sessions('^parley')).length === 0)
    await postgres.query('postgres', `create database ${name}_copy template ${name}`)
    await using original = await openNode(cluster.database, cluster.settings)
    await using copy = await openNode(postgres.url(`${name}_copy`), cluster.settings)
    await until(async () => (await channels(redis)).length === 2)
    expect(copy.log.head()).not.toBe(original.log.head())
    await original.append('m1')
    await copy.append('another')
    await until(() => copy.broadcast.length === 1 && original.broadcast.length === 1)
    expect([original.broadcastTexts(), copy.broadcastTexts()]).toEqual([['m1'], ['another']])
  })
})
