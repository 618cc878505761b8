import { connections, type Harness } from '../harness.ts'
import { type Cluster, postgresCpuSeconds, startCluster } from '../nodes.ts'
import { type Server, type SocketLoad, startSocketLoad } from '../processes.ts'
import type { Result } from '../report.ts'
import { interleave, slowRounds } from '../rounds.ts'
import { quantile, ratios } from '../statistics.ts'
import { requireWrk, runWrk } from '../wrk.ts'
import { documentedFrame } from './sockets.ts'

/** The number of sockets that receive the deliveries. They are spread over the nodes. */
const sockets = 99
const burst = 64
/** The interval of the messages whose delivery is timed. It leaves the servers idle in between. */
const everyMs = 5
/** Longer than a delivery to another node takes, also if it is found by polling. */
const quietMs = 150

/** The setup that all clusters are compared with. */
const oneProcess = 'one process on SQLite'

interface Setup extends Cluster {
  listeners: SocketLoad
  /** One socket on each node, of which the first one sends. */
  relay: SocketLoad
  /** The index of the socket in `relay` whose deliveries are timed: on the second node if there is one. */
  receiver: number
}

/** Compares clusters of one, two and three nodes on PostgreSQL with one process on SQLite. */
export async function nodes(harness: Harness): Promise<Result[]> {
  requireWrk()
  const { findPostgres, startPostgres } = await import('../../tests/fixtures/postgres-server.ts')
  const { skipsRedis, startRedis } = await import('../../tests/fixtures/redis-server.ts')
  if (!findPostgres()) {
    console.error('The row is skipped: PostgreSQL is not installed (`apt-get install postgresql`).')
    return []
  }
  await using postgres = await startPostgres()
  await using redis = skipsRedis ? undefined : await startRedis()
  const size = slowRounds(harness.size)
  const { seconds, socketSeconds, nodeCounts } = size
  const single = await harness.startParley()
  const setups: Record<string, Setup> = {
    [oneProcess]: await connect({ ...single, nodes: [single.server] }),
  }
  for (const count of nodeCounts)
    setups[`${count} ${count === 1 ? 'node' : 'nodes'} on PostgreSQL`] = await connect(
      await startCluster(harness, postgres, count),
    )
  if (redis)
    setups['3 nodes on PostgreSQL with Redis'] = await connect(
      await startCluster(harness, postgres, 3, redis.url),
    )

  const measureAll = <T>(measure: (setup: Setup) => Promise<T>, selected = Object.entries(setups)) =>
    interleave(size, Object.fromEntries(selected.map(([name, setup]) => [name, () => measure(setup)])))
  const reads = await measureAll(
    (setup) => requestRate(setup, '/api/users/profile', 'get.lua', seconds),
    Object.entries(setups).slice(0, 2),
  )
  const sends = await measureAll((setup) => requestRate(setup, '/api/chats/send', 'send.lua', seconds))
  const deliveries = await measureAll(({ listeners }) => deliveryRate(listeners, socketSeconds))
  const latencies = await measureAll((setup) => deliveryLatencies(setup, socketSeconds))
  const costs = await measureAll((setup) =>
    relayCosts(setup, () => postgresCpuSeconds(postgres), socketSeconds),
  )

  await Promise.all(
    Object.values(setups).flatMap((setup) => [setup.listeners.stop(), setup.relay.stop(), setup.stop()]),
  )
  return [
    ...readResults(reads),
    ...rateResults(`POST send, ${connections} connections, several nodes`, 'requests/s', sends),
    ...rateResults(`Delivery to ${sockets} sockets, several nodes`, 'deliveries/s', deliveries),
    ...latencyResults(latencies),
    ...costResults(costs),
  ]
}

async function connect(cluster: Cluster): Promise<Setup> {
  const { nodes, tokens } = cluster
  const listeners = await startSocketLoad()
  const relay = await startSocketLoad()
  for (const [index, { port }] of nodes.entries()) {
    const endpoint = { port, path: '/' }
    const upTo = Math.round(((index + 1) * sockets) / nodes.length)
    await listeners.execute({ type: 'open', count: upTo, endpoint, tokens })
    await relay.execute({ type: 'open', count: index + 1, endpoint, tokens })
  }
  return { ...cluster, listeners, relay, receiver: Math.min(1, nodes.length - 1) }
}

/** Spreads the connections over all nodes and adds up the rates. */
async function requestRate(setup: Setup, path: string, script: string, seconds: number): Promise<number> {
  const { nodes, scriptEnvironment: environment } = setup
  const share = Math.floor(connections / nodes.length)
  const results = await Promise.all(
    nodes.map((server) => runWrk({ server, path, script, environment, connections: share, seconds })),
  )
  return results.reduce((sum, { perSecond }) => sum + perSecond, 0)
}

/** Waits until the deliveries of an earlier measurement have arrived everywhere. */
async function untilQuiet(load: SocketLoad) {
  const count = async () => (await load.execute({ type: 'count' })).received
  for (let before = -1, now = await count(); now !== before; ) {
    await Bun.sleep(quietMs)
    before = now
    now = await count()
  }
}

async function deliveryRate(load: SocketLoad, seconds: number): Promise<number> {
  await untilQuiet(load)
  const {
    sent,
    received,
    seconds: elapsed,
  } = await load.execute({
    type: 'fan-out',
    frame: documentedFrame,
    burst,
    seconds,
  })
  if (received !== sent * sockets)
    throw new Error(`${sent} frames to ${sockets} sockets resulted in ${received} deliveries`)
  return received / elapsed
}

/** From sending on the first node to the arrival on the second one. With one node, to the sender itself. */
async function deliveryLatencies({ relay, receiver }: Setup, seconds: number) {
  await untilQuiet(relay)
  const { latenciesMs } = await relay.execute({
    type: 'paced-send',
    frame: documentedFrame,
    everyMs,
    seconds,
    receiver,
  })
  return { p50: quantile(latenciesMs, 0.5), p99: quantile(latenciesMs, 0.99) }
}

/** The processor time per message in µs: of the node that stores it, of each further node, and of PostgreSQL. */
async function relayCosts({ relay, nodes }: Setup, postgresSeconds: () => Promise<number>, seconds: number) {
  const read = async () => [...nodes.map((node: Server) => node.cpuSeconds()), await postgresSeconds()]
  await untilQuiet(relay)
  const before = await read()
  const { sent } = await relay.execute({ type: 'fan-out', frame: documentedFrame, burst, seconds })
  const after = await read()
  const perMessage = after.map((value, index) => ((value - (before[index] ?? 0)) / sent) * 1e6)
  const further = perMessage.slice(1, -1)
  return {
    writer: perMessage[0] ?? Number.NaN,
    further: further.length === 0 ? 0 : further.reduce((sum, each) => sum + each, 0) / further.length,
    database: perMessage.at(-1) ?? Number.NaN,
  }
}

type Series<T> = Record<string, T[]>

function readResults(reads: Series<number>): Result[] {
  const [sqlite = [], postgres = []] = Object.values(reads)
  return [
    {
      work: `GET profile on PostgreSQL, ${connections} connections`,
      measure: `one node, relative to ${oneProcess}`,
      unit: '×',
      samples: ratios(postgres, sqlite),
      target: { sense: 'at least', value: 0.95 },
      figures: figures(reads, 'requests/s'),
    },
  ]
}

function rateResults(work: string, unit: string, rates: Series<number>): Result[] {
  const clusters = Object.entries(rates).filter(([name]) => name !== oneProcess)
  return clusters.map(([name, samples], index) => ({
    work,
    measure: `${name}, relative to ${oneProcess}`,
    unit: '×',
    samples: ratios(samples, rates[oneProcess] ?? []),
    figures: index === 0 ? figures(rates, unit) : [],
  }))
}

function latencyResults(latencies: Series<{ p50: number; p99: number }>): Result[] {
  return Object.entries(latencies).map(([name, samples]) => ({
    work: `Delivery latency, a message every ${everyMs} ms`,
    measure: `${name}, p99 ${name.startsWith('1') || name === oneProcess ? 'to the sender' : 'to a client on another node'}`,
    unit: 'ms',
    samples: samples.map(({ p99 }) => p99),
    figures: [{ name: `${name}, p50`, unit: 'ms', samples: samples.map(({ p50 }) => p50) }],
  }))
}

function costResults(costs: Series<Record<'writer' | 'further' | 'database', number>>): Result[] {
  const work = `Processor time per message, bursts of ${burst}, one socket per node`
  return Object.entries(costs).map(([name, samples]) => {
    const hasFurther = samples.some(({ further }) => further > 0)
    return {
      work,
      measure: `${name}, ${hasFurther ? 'each further node' : 'the only process'}`,
      unit: 'µs',
      samples: samples.map(({ writer, further }) => (hasFurther ? further : writer)),
      figures: [
        { name: `${name}, the node that stores`, unit: 'µs', samples: samples.map(({ writer }) => writer) },
        ...(name === oneProcess
          ? []
          : [{ name: `${name}, PostgreSQL`, unit: 'µs', samples: samples.map(({ database }) => database) }]),
      ],
    }
  })
}

const figures = (series: Series<number>, unit: string) =>
  Object.entries(series).map(([name, samples]) => ({ name, unit, samples }))
