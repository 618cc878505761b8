import { connections, type Harness } from '../harness.ts'
import type { Parley } from '../parley.ts'
import { startSocketLoad } from '../processes.ts'
import type { Result } from '../report.ts'
import { interleave, slowRounds } from '../rounds.ts'
import { median, ratios } from '../statistics.ts'
import { requireWrk, runWrk } from '../wrk.ts'
import { measureFanOut, openWarm } from './fan-out.ts'
import { connectToParley, documentedFrame, resumePath } from './sockets.ts'

/** The accepted loss of throughput with more data, and the accepted increase of cost with more sockets. */
const maxThroughputLoss = 0.15
const maxCostIncrease = 0.3
const loginConnections = 8
const resumingClients = 40

/** Measures whether requests and deliveries get slower with more data and more sockets. */
export async function growth(harness: Harness): Promise<Result[]> {
  return [...(await measureDataGrowth(harness)), ...(await measureSocketGrowth(harness))]
}

/** Runs one server per size at the same time and measures them in interleaved rounds. */
async function measureDataGrowth(harness: Harness): Promise<Result[]> {
  requireWrk()
  const { seconds, growth: sizes, growthMissedMessages, growthUsers } = harness.size
  const load = await startSocketLoad()
  const workloads: Record<string, (parley: Parley) => Promise<number>> = {
    'GET profile': (parley) => requestRate(parley, '/api/users/profile', 'get.lua', connections),
    'POST login': (parley) => requestRate(parley, '/api/auth/login', 'login.lua', loginConnections),
    Resume: async (parley) => {
      const { server, tokens } = parley
      const endpoint = { port: server.port, path: await resumePath(parley, growthMissedMessages) }
      const { seconds: elapsed } = await load.execute({
        type: 'resume',
        count: resumingClients,
        endpoint,
        tokens,
        frames: growthMissedMessages,
      })
      await load.execute({ type: 'close' })
      return (resumingClients * growthMissedMessages) / elapsed
    },
    // This workload is the last one because it adds messages.
    'POST send': (parley) => requestRate(parley, '/api/chats/send', 'send.lua', connections),
  }
  const units: Record<string, string> = { 'POST login': 'logins/s', Resume: 'messages/s' }

  async function requestRate(
    { server, scriptEnvironment }: Parley,
    path: string,
    script: string,
    connectionCount: number,
  ) {
    const environment = scriptEnvironment
    return (await runWrk({ server, path, script, environment, connections: connectionCount, seconds }))
      .perSecond
  }

  const servers: Record<string, Parley> = {}
  for (const { accounts, messages } of sizes)
    servers[`${formatCount(accounts)} accounts, ${formatCount(messages)} messages`] =
      await harness.startParley({
        accounts,
        messages,
        users: growthUsers,
      })
  const results: Result[] = []
  for (const [work, measure] of Object.entries(workloads)) {
    const measurements = Object.entries(servers).map(
      ([name, parley]) => [name, () => measure(parley)] as const,
    )
    const measured = await interleave(slowRounds(harness.size), Object.fromEntries(measurements))
    const [smallest = [], ...larger] = Object.values(measured)
    results.push({
      work: `${work}, growing data`,
      measure: 'the slowest data size, relative to the smallest',
      unit: '×',
      samples: slowestSeries(larger.map((samples) => ratios(samples, smallest))),
      target: { sense: 'at least', value: 1 - maxThroughputLoss },
      figures: Object.entries(measured).map(([name, samples]) => ({
        name,
        unit: units[work] ?? 'requests/s',
        samples,
      })),
    })
  }
  await Promise.all([load, ...Object.values(servers)].map(({ stop }) => stop()))
  return results
}

/** Measures the processor time per delivery with more and more sockets. */
async function measureSocketGrowth(harness: Harness): Promise<Result[]> {
  const { socketSeconds, growthSockets } = harness.size
  const setups = []
  for (const count of growthSockets) {
    const parley = await harness.startParley()
    const load = await openWarm(harness.size, {
      frame: documentedFrame,
      sockets: count,
      connect: (each, number) => connectToParley(each, parley, number),
    })
    setups.push({ count, load, parley })
  }
  const measurements = setups.map(
    ({ count, load, parley: { server } }) =>
      [
        `${formatCount(count)} sockets`,
        async () =>
          1e9 / (await measureFanOut(load, server, documentedFrame, count, socketSeconds)).perCpuSecond,
      ] as const,
  )
  const measured = await interleave(slowRounds(harness.size), Object.fromEntries(measurements))
  await Promise.all(setups.flatMap(({ load, parley: { stop } }) => [load.stop(), stop()]))
  const costs = Object.values(measured)
  const cheapestSmaller = costs.slice(0, -1).toSorted((a, b) => median(a) - median(b))[0] ?? []
  return [
    {
      work: 'Delivery, growing number of sockets',
      measure: 'CPU time per delivery to the most sockets, relative to the cheapest smaller count',
      unit: '×',
      samples: ratios(costs.at(-1) ?? [], cheapestSmaller),
      target: { sense: 'at most', value: 1 + maxCostIncrease },
      figures: Object.entries(measured).map(([name, samples]) => ({
        name,
        unit: 'CPU-ns/delivery',
        samples,
      })),
    },
  ]
}

/** Returns the series with the lowest median. The median ignores single outliers. */
function slowestSeries(series: number[][]): number[] {
  return series.toSorted((a, b) => median(a) - median(b))[0] ?? []
}

const formatCount = (count: number) => count.toLocaleString('en-US')
