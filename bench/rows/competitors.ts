import { type Competitor, type CompetitorName, competitorKinds } from '../competitors.ts'
import { connections, type Harness } from '../harness.ts'
import type { Parley } from '../parley.ts'
import { measureStart, type Server, type SocketLoad, startSocketLoad } from '../processes.ts'
import type { Result } from '../report.ts'
import { interleave, repeat, slowRounds } from '../rounds.ts'
import { ratios } from '../statistics.ts'
import { requireWrk, runWrk } from '../wrk.ts'
import { measureFanOut } from './fan-out.ts'
import { memoryPerSocket } from './idle.ts'
import { connectToCompetitor, connectToParley, documentedFrame } from './sockets.ts'

const ours = 'this server'
const documentedPaths = { profilePath: '/api/users/profile', sendPath: '/api/chats/send' }

interface Contender {
  server: Server
  scriptEnvironment: Record<string, string>
  paths: { profilePath: string; sendPath: string }
  frame: string
  connect: (load: SocketLoad, count: number) => Promise<unknown>
}

type Series = Record<string, number[]>

/** Compares this server with the same API on other stacks. All of them commit each message to disk. */
export async function competitors(harness: Harness): Promise<Result[]> {
  requireWrk()
  const names = Object.keys(competitorKinds) as CompetitorName[]
  return [
    ...(await compareRequestsAndDeliveries(harness, names)),
    ...(await compareIdleSockets(harness, names)),
    ...(await compareStarts(harness, names)),
  ]
}

async function compareRequestsAndDeliveries(harness: Harness, names: CompetitorName[]): Promise<Result[]> {
  const size = slowRounds(harness.size)
  const { seconds, socketSeconds, competitorSockets } = size
  const contenders: Record<string, Contender> = { [ours]: fromParley(await harness.startParley()) }
  for (const name of names)
    contenders[competitorKinds[name].title] = fromCompetitor(await harness.startCompetitor(name))
  const measureAll = (measure: (contender: Contender, name: string) => Promise<number>) =>
    interleave(
      size,
      Object.fromEntries(
        Object.entries(contenders).map(([name, contender]) => [name, () => measure(contender, name)]),
      ),
    )
  const rate = (script: string, path: keyof Contender['paths']) =>
    measureAll(async ({ server, scriptEnvironment: environment, paths }) => {
      const load = { server, path: paths[path], script, environment, connections, seconds }
      return (await runWrk(load)).perSecond
    })

  const results = compare('GET profile', 'requests/s', await rate('get.lua', 'profilePath'))
  results.push(...compare('durable POST send', 'requests/s', await rate('send.lua', 'sendPath')))
  const loads: Record<string, SocketLoad> = {}
  for (const name of Object.keys(contenders)) loads[name] = await startSocketLoad()
  for (const count of competitorSockets) {
    // The sockets of the smaller count stay open: `connect` opens the missing ones.
    for (const [name, { connect }] of Object.entries(contenders))
      await connect(loads[name] as SocketLoad, count)
    const deliveries = await measureAll(async ({ server, frame }, name) => {
      const load = loads[name] as SocketLoad
      return (await measureFanOut(load, server, frame, count, socketSeconds)).perCpuSecond
    })
    results.push(
      ...compare(`fan-out to ${count.toLocaleString('en-US')} sockets`, 'deliveries/CPU-s', deliveries),
    )
  }
  await Promise.all(
    [...Object.values(loads), ...Object.values(contenders).map(({ server }) => server)].map(({ stop }) =>
      stop(),
    ),
  )
  return results
}

/**
 * Starts new servers in each round, because a server rarely returns memory. All of them at the same time: a round is
 * long, and memory, unlike speed, does not depend on what else the machine does.
 */
async function compareIdleSockets(harness: Harness, names: CompetitorName[]): Promise<Result[]> {
  const { competitorIdleSockets: count, competitorIdleRounds: rounds } = harness.size
  const measure = ({ server, connect }: Contender) =>
    memoryPerSocket(server, (load) => connect(load, count), { ...harness.size, count })
  const titles = [ours, ...names.map((name) => competitorKinds[name].title)]
  const measured = await repeat({ rounds, warmUpRounds: 0 }, () =>
    Promise.all([
      harness.startParley().then(fromParley).then(measure),
      ...names.map((name) => harness.startCompetitor(name).then(fromCompetitor).then(measure)),
    ]),
  )
  return compare(
    `memory per idle socket, ${count.toLocaleString('en-US')} sockets`,
    'bytes/socket',
    Object.fromEntries(
      titles.map((title, index) => [title, measured.map((round) => round[index] ?? Number.NaN)]),
    ),
  )
}

async function compareStarts(harness: Harness, names: CompetitorName[]): Promise<Result[]> {
  const parley = await harness.startParley()
  await parley.stop()
  const measured = await interleave(slowRounds(harness.size), {
    [ours]: () => measureStart(parley.options),
    // A competitor creates its tables when it starts, so each start has a new database.
    ...Object.fromEntries(
      names.map((name) => [
        competitorKinds[name].title,
        async () => measureStart(await harness.competitorOptions(name)),
      ]),
    ),
  })
  const series = (value: (start: Awaited<ReturnType<typeof measureStart>>) => number) =>
    Object.fromEntries(Object.entries(measured).map(([name, starts]) => [name, starts.map(value)]))
  return [
    ...compare(
      'time to the first response',
      'ms',
      series(({ firstResponseMs }) => firstResponseMs),
    ),
    ...compare(
      'resident memory after the start',
      'MB',
      series(({ residentBytes }) => residentBytes / 1e6),
    ),
  ]
}

/** One result for each competitor, relative to this server. */
function compare(workload: string, unit: string, series: Series): Result[] {
  const competing = Object.entries(series).filter(([name]) => name !== ours)
  return competing.map(([name, samples], index) => ({
    work: `Competitors, ${workload}`,
    measure: `${name}, relative to ${ours}`,
    unit: '×',
    samples: ratios(samples, series[ours] ?? []),
    figures: index === 0 ? Object.entries(series).map(([name, samples]) => ({ name, unit, samples })) : [],
  }))
}

function fromParley(parley: Parley): Contender {
  const { server, scriptEnvironment } = parley
  return {
    server,
    scriptEnvironment,
    paths: documentedPaths,
    frame: documentedFrame,
    connect: (load, count) => connectToParley(load, parley, count),
  }
}

function fromCompetitor(competitor: Competitor): Contender {
  const { server, scriptEnvironment, kind } = competitor
  return {
    server,
    scriptEnvironment,
    paths: kind,
    frame: kind.frame(documentedFrame),
    connect: (load, count) => connectToCompetitor(load, competitor, count),
  }
}
