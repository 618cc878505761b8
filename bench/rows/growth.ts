import { connections, type Harness, interleave } from '../harness.ts'
import type { Parley } from '../parley.ts'
import { startSocketLoad } from '../processes.ts'
import { median, type Result, ratios } from '../report.ts'
import { requireWrk, runWrk } from '../wrk.ts'
import { measureFanOut } from './fan-out.ts'
import { documentedFrame, joinParley, resumePath } from './sockets.ts'

const flatWithin = 0.15
const socketsFlatWithin = 0.3
const logins = 8
const resumers = 40

/** Whether the same work gets slower as there is more of everything. */
export async function growth(harness: Harness): Promise<Result[]> {
  return [...(await growthOfData(harness)), ...(await growthOfSockets(harness))]
}

/** The servers of all sizes run side by side and take turns. */
async function growthOfData(harness: Harness): Promise<Result[]> {
  requireWrk()
  const { seconds, growth: sizes, growthMissed, growthUsers } = harness.size
  const load = await startSocketLoad()
  const works: Record<string, (parley: Parley) => Promise<number>> = {
    'GET profile': (parley) => request(parley, '/api/users/profile', 'get.lua', connections),
    'POST login': (parley) => request(parley, '/api/auth/login', 'login.lua', logins),
    Resume: async (parley) => {
      const { server, tokens } = parley
      const endpoint = { port: server.port, path: await resumePath(parley, growthMissed) }
      const answer = await load.carryOut({
        do: 'resume',
        count: resumers,
        endpoint,
        tokens,
        frames: growthMissed,
      })
      await load.carryOut({ do: 'end' })
      return (resumers * growthMissed) / answer.seconds
    },
    // The last, since it adds messages.
    'POST send': (parley) => request(parley, '/api/chats/send', 'send.lua', connections),
  }
  const units: Record<string, string> = { 'POST login': 'logins/s', Resume: 'messages/s' }

  async function request({ server, scriptEnvironment }: Parley, path: string, script: string, many: number) {
    const environment = scriptEnvironment
    return (await runWrk({ server, path, script, environment, connections: many, seconds })).perSecond
  }

  const servers: Record<string, Parley> = {}
  for (const { accounts, messages } of sizes)
    servers[`${words(accounts)} accounts, ${words(messages)} messages`] = await harness.startParley({
      accounts,
      messages,
      users: growthUsers,
    })
  const results: Result[] = []
  for (const [work, measure] of Object.entries(works)) {
    const runs = Object.entries(servers).map(([name, parley]) => [name, () => measure(parley)] as const)
    const taken = await interleave(harness.size, Object.fromEntries(runs))
    const [smallest = [], ...larger] = Object.values(taken)
    results.push({
      work: `${work}, growing data`,
      measure: 'the slowest size, of the smallest',
      unit: '×',
      samples: slowest(larger.map((samples) => ratios(samples, smallest))),
      target: { sense: 'at least', value: 1 - flatWithin },
      figures: Object.entries(taken).map(([name, samples]) => ({
        name,
        unit: units[work] ?? 'requests/s',
        samples,
      })),
    })
  }
  await Promise.all([load, ...Object.values(servers)].map(({ stop }) => stop()))
  return results
}

/** What a delivery costs, as more sockets get each message. */
async function growthOfSockets(harness: Harness): Promise<Result[]> {
  const { seconds, growthSockets } = harness.size
  const places = []
  for (const count of growthSockets) {
    const load = await startSocketLoad()
    const each = await harness.startParley()
    await joinParley(load, each, count)
    places.push({ count, load, parley: each })
  }
  const runs = places.map(
    ({ count, load, parley: { server } }) =>
      [
        `${words(count)} sockets`,
        async () => 1e9 / (await measureFanOut(load, server, documentedFrame, count, seconds)).perCpuSecond,
      ] as const,
  )
  const taken = await interleave(harness.size, Object.fromEntries(runs))
  await Promise.all(places.flatMap(({ load, parley: { stop } }) => [load.stop(), stop()]))
  const costs = Object.values(taken)
  const cheapestBelow = costs.slice(0, -1).toSorted((a, b) => median(a) - median(b))[0] ?? []
  return [
    {
      work: 'Delivery, growing sockets',
      measure: 'cost to the most sockets, of the cheapest count below',
      unit: '×',
      samples: ratios(costs.at(-1) ?? [], cheapestBelow),
      target: { sense: 'at most', value: 1 + socketsFlatWithin },
      figures: Object.entries(taken).map(([name, samples]) => ({ name, unit: 'CPU-ns/delivery', samples })),
    },
  ]
}

/** The series with the least median: one outlier among rounds is not growth. */
function slowest(series: number[][]): number[] {
  return series.toSorted((a, b) => median(a) - median(b))[0] ?? []
}

const words = (count: number) => count.toLocaleString('en-US')
