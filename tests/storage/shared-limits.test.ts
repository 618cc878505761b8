import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { createPostgresLimitStore } from '../../src/limits/limit-store.postgres.ts'
import { createRedisLimitStore } from '../../src/limits/limit-store.redis.ts'
import type { LimitStore } from '../../src/limits/limit-store.ts'
import type { Count, RateLimiter } from '../../src/limits/rate-limits.ts'
import { openSharedLimits } from '../../src/limits/shared-limits.ts'
import type { MaybePromise } from '../../src/maybe-promise.ts'
import { createPool } from '../../src/storage/postgres/pool.ts'
import { openRedis } from '../../src/storage/redis/connection.ts'
import { type PostgresServer, skipsPostgres, startPostgres } from '../fixtures/postgres-server.ts'
import { type RedisServer, skipsRedis, startRedis } from '../fixtures/redis-server.ts'
import { until } from './support/message-logs.ts'
import { openNode } from './support/postgres.ts'

/** A server that tests interrupt. */
interface Engine extends AsyncDisposable {
  connect(): LimitStore
  kill(): Promise<void>
  restart(): Promise<void>
  freeze(): Promise<void>
  thaw(): Promise<void>
  /** Loses all data of the limits. */
  flush(): Promise<void>
}

async function startPostgresEngine(): Promise<Engine> {
  const server: PostgresServer = await startPostgres()
  const database = await server.createDatabase()
  const url = server.url(database)
  // Creates the tables.
  await (await openNode(url))[Symbol.asyncDispose]()
  let frozen: number[] = []
  return {
    connect: () =>
      createPostgresLimitStore({ pool: createPool({ url, name: 'limits', size: 1, attemptMs: 1000 }) }),
    kill: server.kill,
    restart: server.start,
    async freeze() {
      frozen = await server.sessions('^limits$')
      for (const pid of frozen) process.kill(pid, 'SIGSTOP')
    },
    async thaw() {
      for (const pid of frozen) process.kill(pid, 'SIGCONT')
    },
    async flush() {
      await server.query(database, 'truncate parley.limit_nodes, parley.request_counts, parley.socket_counts')
    },
    [Symbol.asyncDispose]: server[Symbol.asyncDispose],
  }
}

async function startRedisEngine(): Promise<Engine> {
  const server: RedisServer = await startRedis()
  return {
    connect() {
      const redis = openRedis({ url: server.url, onLost() {}, onRecovered() {} })
      return createRedisLimitStore({ redis, namespace: 'limits' })
    },
    kill: server.kill,
    restart: server.start,
    freeze: async () => server.freeze(),
    thaw: async () => server.thaw(),
    flush: async () => void (await server.command('FLUSHALL')),
    [Symbol.asyncDispose]: server[Symbol.asyncDispose],
  }
}

type Limits = Awaited<ReturnType<typeof openNodes>>

const quotas = { read: 120, login: 10 } as const
const nodeCount = 3

/** Three nodes, whose clocks differ by an hour. */
async function openNodes(engine: Engine) {
  const nodes = await Promise.all(
    Array.from({ length: nodeCount }, async (_, index) => {
      const reports: string[] = []
      const now = () => performance.now() / 1000 + 3600 * index
      const limits = await openSharedLimits({
        store: engine.connect(),
        secret: new Uint8Array(32),
        rateLimits: true,
        rateLimitOverrides: {},
        maxSocketsPerUser: 6,
        onError: () => reports.push('lost'),
        onLimitsShared: () => reports.push('shared'),
        now,
        beatMs: 200,
        retryMs: 20,
      })
      const count = (policy: keyof typeof quotas, client: string) => {
        const limit = { policy, quota: quotas[policy], window: 60, partition: 'ip' } as const
        const limiter = limits.rateLimits.limiter(limit) as RateLimiter
        return limiter.count(limits.rateLimits.key(client), Math.floor(now()))
      }
      return { ...limits, count, reports }
    }),
  )
  return {
    nodes,
    at: (index: number) => nodes[index % nodeCount] as (typeof nodes)[number],
    async [Symbol.asyncDispose]() {
      await Promise.all(nodes.map((node) => node.close()))
    },
  }
}

const repeat = <Result>(times: number, run: (index: number) => Result): Result[] =>
  Array.from({ length: times }, (_, index) => run(index))

async function admitted(counts: readonly MaybePromise<Count>[]): Promise<number> {
  return (await Promise.all(counts)).filter(({ exceeded }) => !exceeded).length
}

const granted = async (results: readonly MaybePromise<boolean>[]) =>
  (await Promise.all(results)).filter(Boolean).length

/** Counts on all nodes until each of them has noticed that the store does not respond. */
async function noticeOutage(limits: Limits): Promise<void> {
  await until(async () => {
    await Promise.all(limits.nodes.map((node) => node.count('login', `probe ${Math.random()}`)))
    return limits.nodes.every(({ reports }) => reports.at(-1) === 'lost')
  })
}

const recovered = (limits: Limits) =>
  until(() => limits.nodes.every(({ reports }) => reports.at(-1) === 'shared'))

function sharedLimitsSuite(name: string, start: () => Promise<Engine>): void {
  describe(`three nodes with ${name}`, () => {
    let engine: Engine
    let client: string
    let clients = 0

    beforeAll(async () => {
      engine = await start()
    }, 60_000)
    afterAll(async () => {
      await engine[Symbol.asyncDispose]()
    }, 60_000)
    beforeEach(() => {
      client = `client ${++clients}`
    })

    test('admit a burst of 600 requests up to the quota of 120 and a tenth of it', async () => {
      await using limits = await openNodes(engine)
      const count = await admitted(repeat(600, (index) => limits.at(index).count('read', client)))
      expect(count).toBeGreaterThanOrEqual(120)
      expect(count).toBeLessThanOrEqual(132)
    })

    test('admit exactly ten logins, and limit the sockets of a user exactly', async () => {
      await using limits = await openNodes(engine)
      expect(await admitted(repeat(300, (index) => limits.at(index).count('login', client)))).toBe(10)
      expect(await granted(repeat(60, (index) => limits.at(index).userSlots.acquire(client)))).toBe(6)
    })

    test('state the same end of the window, although their clocks differ', async () => {
      await using limits = await openNodes(engine)
      const counts = await Promise.all(repeat(3, (index) => limits.at(index).count('login', client)))
      const ends = counts.map(({ resetSeconds }) => resetSeconds)
      expect(Math.min(...ends)).toBeGreaterThan(0)
      expect(Math.max(...ends)).toBeLessThanOrEqual(60)
      expect(Math.max(...ends) - Math.min(...ends)).toBeLessThanOrEqual(1)
    })

    test.each(['kill', 'freeze'] as const)(
      'each apply the quota alone after a %s, and share it again',
      async (fault) => {
        await using limits = await openNodes(engine)
        expect(await admitted(repeat(5, (index) => limits.at(index).count('login', client)))).toBe(5)
        await engine[fault]()
        await noticeOutage(limits)
        const alone = `${client} alone`
        for (const node of limits.nodes) {
          expect(await admitted(repeat(30, () => node.count('login', alone)))).toBe(10)
          expect(await granted(repeat(30, () => node.userSlots.acquire(alone)))).toBe(6)
        }
        await (fault === 'kill' ? engine.restart() : engine.thaw())
        await recovered(limits)
        // What each node has admitted is known to all of them.
        const late = await limits.at(0).count('login', `${client} late`)
        expect(late.exceeded).toBe(false)
        expect(await admitted(repeat(30, (index) => limits.at(index).count('login', alone)))).toBe(0)
        expect(
          await admitted(repeat(300, (index) => limits.at(index).count('login', `${client} again`))),
        ).toBe(10)
        expect(
          await granted(repeat(30, (index) => limits.at(index).userSlots.acquire(`${client} again`))),
        ).toBe(6)
        for (const { reports } of limits.nodes) expect(reports.slice(0, 2)).toEqual(['lost', 'shared'])
      },
      30_000,
    )

    test('only forget counts if the store loses its data, and report their sockets again', async () => {
      await using limits = await openNodes(engine)
      expect(await granted(repeat(6, () => limits.at(0).userSlots.acquire(client)))).toBe(6)
      expect(await admitted(repeat(30, (index) => limits.at(index).count('login', client)))).toBe(10)
      await engine.flush()
      expect(
        await admitted(repeat(30, (index) => limits.at(index).count('login', client))),
      ).toBeLessThanOrEqual(10)
      await Bun.sleep(1000)
      expect(await granted(repeat(30, () => limits.at(1).userSlots.acquire(client)))).toBe(0)
      expect(limits.nodes.flatMap(({ reports }) => reports)).toEqual([])
    })
  })
}

describe.skipIf(skipsPostgres)('PostgreSQL', () => sharedLimitsSuite('PostgreSQL', startPostgresEngine))
describe.skipIf(skipsRedis)('Redis', () => sharedLimitsSuite('Redis', startRedisEngine))
