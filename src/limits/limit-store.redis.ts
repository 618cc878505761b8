import type { Redis, RedisConnection } from '../storage/redis/connection.ts'
import { createScript } from '../storage/redis/script.ts'
import { type LimitStore, type NodeState, nodeLifetimeSeconds } from './limit-store.ts'

interface RedisLimitStoreOptions {
  readonly redis: Redis
  /** The beginning of all keys, which differs between services that use one Redis server. */
  readonly namespace: string
  /** Seconds with fractions. By default, the clock of the Redis server. */
  readonly now?: () => number
}

interface RedisLimitStore extends LimitStore {
  close(): void
}

const batchIntervalMs = 10

/** If the limits take longer, a node applies them on its own. */
const commandMs = 1000

/** How long Redis keeps the sockets of a node that no longer beats. */
const heldMs = 60_000

/** A node that was frozen for this long may still repeat its last batch. */
const batchMs = 600_000

/**
 * Every script begins with this. Redis keeps the nodes by the time at which they were seen; nodes that were not seen
 * recently have ended. Arguments: time in milliseconds or '', session, lifetime of a node, expiry of its sockets.
 */
const see = `
local nodes, held = KEYS[1], KEYS[2]
local at = tonumber(ARGV[1])
if not at then
  local time = redis.call('TIME')
  at = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
local session = ARGV[2]
redis.call('ZREMRANGEBYSCORE', nodes, '-inf', at - tonumber(ARGV[3]))
local known = redis.call('ZADD', nodes, at, session) == 0 and 1 or 0
redis.call('PEXPIRE', nodes, ARGV[4])
redis.call('PEXPIRE', held, ARGV[4])
local reply = { known, redis.call('ZCARD', nodes) }
`

const beatScript = createScript(`${see}
return reply`)

/** Further keys: the number of the last batch, and the counters. Further arguments: see below. */
const countScript = createScript(`${see}
local batch, expiry = tonumber(ARGV[5]), ARGV[6]
local is_new = batch > tonumber(redis.call('GET', KEYS[3]) or 0)
if is_new then redis.call('SET', KEYS[3], batch, 'PX', expiry) end
for i = 4, #KEYS do
  local count, duration = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local stored = redis.call('HMGET', KEYS[i], 'total', 'ends')
  local total, ends = tonumber(stored[1]), tonumber(stored[2])
  local starts = not ends or ends <= at
  if starts then
    total = 0
    ends = at + duration
  end
  if is_new then total = total + count end
  redis.call('HSET', KEYS[i], 'total', total, 'ends', ends)
  if starts then redis.call('PEXPIRE', KEYS[i], duration) end
  reply[#reply + 1] = total
  reply[#reply + 1] = ends - at
end
return reply`)

/** Further arguments: the limit, the beginning of the keys of all nodes, and key, held and wanted of each user. */
const holdScript = createScript(`${see}
local limit, prefix = tonumber(ARGV[5]), ARGV[6]
local others = {}
for _, node in ipairs(redis.call('ZRANGE', nodes, 0, -1)) do
  if node ~= session then others[#others + 1] = prefix .. node end
end
for i = 7, #ARGV, 3 do
  local count = 0
  for _, other in ipairs(others) do count = count + tonumber(redis.call('HGET', other, ARGV[i]) or 0) end
  local granted = math.max(tonumber(ARGV[i + 1]), math.min(tonumber(ARGV[i + 2]), limit - count))
  if granted > 0 then
    redis.call('HSET', held, ARGV[i], granted)
  else
    redis.call('HDEL', held, ARGV[i])
  end
  reply[#reply + 1] = granted
end
redis.call('PEXPIRE', held, ARGV[4])
return reply`)

const milliseconds = (seconds: number) => Math.max(1, Math.ceil(seconds * 1000))

/** Waits for a connection, but not longer than for a command. */
function createWaiting() {
  let connected = Promise.withResolvers<void>()
  return {
    resolve: () => connected.resolve(),
    reset() {
      connected.resolve()
      connected = Promise.withResolvers<void>()
    },
    wait: () => Promise.race([connected.promise, Bun.sleep(commandMs)]),
  }
}

/** The limit store in Redis: one script, and so one round trip, for each call. Everything expires. */
export function createRedisLimitStore({ redis, namespace, now }: RedisLimitStoreOptions): RedisLimitStore {
  const session = crypto.randomUUID()
  const heldPrefix = `${namespace}:held:`
  const waiting = createWaiting()
  const connection: RedisConnection = redis.connect({
    name: 'parley-limits',
    commandMs,
    onConnected: waiting.resolve,
    onLost: waiting.reset,
  })
  const nodeKeys = [`${namespace}:nodes`, heldPrefix + session]

  function nodeArguments(): string[] {
    const time = now === undefined ? '' : String(Math.round(now() * 1000))
    return [time, session, String(nodeLifetimeSeconds * 1000), String(heldMs)]
  }

  async function run(script: typeof beatScript, keys: readonly string[], values: readonly string[]) {
    const [known, nodes, ...rest] = await connection.run((client) =>
      script.run<number[]>(client, [...nodeKeys, ...keys], [...nodeArguments(), ...values]),
    )
    const state: NodeState = { known: known === 1, nodes: nodes ?? 1 }
    return { state, rest }
  }

  return {
    name: 'Redis',
    batchIntervalMs,
    async count(batch, deltas) {
      const { state, rest } = await run(
        countScript,
        [`${namespace}:batch:${session}`, ...deltas.map(({ key }) => `${namespace}:count:${key}`)],
        [
          String(batch),
          String(batchMs),
          ...deltas.flatMap(({ count, seconds }) => [String(count), String(milliseconds(seconds))]),
        ],
      )
      const totals = deltas.map((_, index) => ({
        total: rest[2 * index] as number,
        seconds: (rest[2 * index + 1] as number) / 1000,
      }))
      return { ...state, totals }
    },
    async hold(claims, limit) {
      const { state, rest } = await run(
        holdScript,
        [],
        [
          String(limit),
          heldPrefix,
          ...claims.flatMap(({ key, held, wanted }) => [key, String(held), String(wanted)]),
        ],
      )
      return { ...state, granted: rest }
    },
    async beat() {
      await waiting.wait()
      return (await run(beatScript, [], [])).state
    },
    async leave() {
      await connection.run((client) =>
        Promise.all([
          client.send('ZREM', [`${namespace}:nodes`, session]),
          client.send('DEL', [heldPrefix + session]),
        ]),
      )
    },
    close: connection.close,
  }
}
