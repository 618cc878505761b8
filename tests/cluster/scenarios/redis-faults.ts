import { type RedisServer, startRedis } from '../../fixtures/redis-server.ts'
import { type Cluster, noLimits, startCluster } from '../cluster.ts'
import type { Context, Scenario } from '../scenario.ts'
import { runUnderLoad } from './under-load.ts'

interface RedisFault {
  readonly title: string
  readonly run: (redis: RedisServer, cluster: Cluster, context: Context) => Promise<void>
  /** Whether Redis runs before the fault. */
  readonly started?: boolean
  /** Whether the node with this number has Redis. */
  readonly hasRedis?: (node: number) => boolean
  readonly quickRounds?: number
}

/** Three nodes that send each other their messages through a Redis server, to which a fault happens. */
function redisFault({
  title,
  run,
  started = true,
  hasRedis = () => true,
  quickRounds = 1,
}: RedisFault): Scenario {
  return {
    title,
    rounds: 3,
    quickRounds,
    needsRedis: true,
    async run(context) {
      await using redis = await startRedis([], { started })
      await using cluster = await startCluster(context.postgres, (node) => ({
        ...noLimits,
        ...(hasRedis(node) && { REDIS_URL: redis.url }),
      }))
      return await runUnderLoad(cluster, context, () => run(redis, cluster, context))
    },
  }
}

const killed = redisFault({
  title: 'Redis is killed and starts again',
  async run(redis, _, { random }) {
    for (let i = 0; i < 2; i++) {
      await redis.kill()
      await Bun.sleep(random.between(0, 1500))
      await redis.start()
      await Bun.sleep(random.between(0, 1000))
    }
  },
})

const frozen = redisFault({
  title: 'Redis is frozen again and again',
  async run(redis, _, { random }) {
    for (const ms of [random.between(100, 1000), 3000]) {
      redis.freeze()
      await Bun.sleep(ms)
      redis.thaw()
      await Bun.sleep(random.between(0, 1000))
    }
  },
})

const cut = redisFault({
  title: 'subscribers of Redis are cut, and it is flushed',
  async run(redis, _, { random }) {
    for (let i = 0; i < 10; i++) {
      await redis.command('CLIENT', 'KILL', 'TYPE', random.pick(['pubsub', 'pubsub', 'normal']))
      await redis.command('FLUSHALL')
      await Bun.sleep(random.between(10, 300))
    }
  },
})

const absent = redisFault({
  title: 'Redis is absent when the nodes start',
  started: false,
  async run(redis, _, { random }) {
    await Bun.sleep(random.between(0, 1000))
    await redis.start()
    await Bun.sleep(1500)
  },
})

const mixed = redisFault({
  title: 'one node without Redis, and a node is killed',
  hasRedis: (node) => node !== 2,
  async run(redis, { nodes, kill, join }, { random }) {
    await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await kill(random.pick(nodes))
    await join()
    await redis.kill()
    await redis.start()
  },
})

const both = redisFault({
  title: 'Redis and PostgreSQL are killed together',
  quickRounds: 0,
  async run(redis, { postgres }, { random }) {
    await Promise.all([redis.kill(), postgres.kill()])
    await Bun.sleep(random.between(0, 500))
    await Promise.all([redis.start(), postgres.start()])
  },
})

/** Publishes what it has received again: changed, with other sequences, or as it was. */
const hostile = redisFault({
  title: 'Redis delivers forged and repeated messages',
  async run(redis, _, { random }) {
    const [channel = ''] = (await redis.command('PUBSUB', 'CHANNELS')) as string[]
    const seen: string[] = []
    const [listener, publisher] = [new Bun.RedisClient(redis.url), new Bun.RedisClient(redis.url)]
    const forge = (text: string) =>
      random.pick([
        text,
        text.replaceAll('sender', 'forger'),
        text.replace(/\n(\d+) (\d+)\n/, (_all, a, b) => `\n${Number(a) + 1} ${Number(b) + 1}\n`),
        text.slice(0, random.between(0, text.length)),
      ])
    try {
      await listener.subscribe(channel, (text) => void seen.push(text))
      for (let i = 0; i < 300; i++) {
        await Bun.sleep(5)
        if (seen.length > 0) await publisher.publish(channel, forge(random.pick(seen.slice(-20))))
      }
    } finally {
      listener.close()
      publisher.close()
    }
  },
})

export const redisFaults: readonly Scenario[] = [killed, frozen, cut, absent, mixed, both, hostile]
