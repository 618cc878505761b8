import type { Harness, Size } from '../harness.ts'
import { type Server, type SocketLoad, startSocketLoad } from '../processes.ts'
import type { Result } from '../report.ts'
import { interleaveGenerations } from '../rounds.ts'
import { ratios } from '../statistics.ts'
import { startMinimal } from './minimal.ts'
import {
  connectToBaseline,
  connectToCompetitor,
  connectToParley,
  documentedFrame,
  sampleFrame,
} from './sockets.ts'

/** The number of frames that the sender sends before it waits until all sockets have received them. */
const burst = 64

interface FanOut {
  /** Deliveries per second of the server's processor time. */
  perCpuSecond: number
  /** Deliveries per second of wall-clock time. */
  perSecond: number
}

/** One socket sends. All sockets, including the sender, receive every frame. */
export async function fanOut(harness: Harness): Promise<Result[]> {
  return [
    ...(await fanOutTo(harness, harness.size.manySockets, { baseline: 0.95, competitor: 15 })),
    ...(await fanOutTo(harness, harness.size.fewSockets, { durable: 0.8 })),
  ]
}

interface Opening {
  frame: string
  sockets: number
  /** Opens the missing sockets, so that there are `count`. */
  connect: (load: SocketLoad, count: number) => Promise<unknown>
}

/**
 * Opens sockets on a warm server: the first one sends alone for a while. The engine compiles the functions that run
 * often, and with a thousand sockets, a server handles too few messages in all rounds for that.
 */
export async function openWarm(
  { socketWarmUpSeconds: seconds }: Size,
  { frame, sockets, connect }: Opening,
): Promise<SocketLoad> {
  const load = await startSocketLoad()
  await connect(load, 1)
  await load.execute({ type: 'fan-out', frame, burst, seconds })
  await connect(load, sockets)
  return load
}

/**
 * Sends for the given time. Throws if a frame was lost or delivered more than once.
 *
 * Each socket first sends a heartbeat, as if it answered a ping. Once a connection has sent something in reply, Linux
 * acknowledges what it receives in another way: with 1,000 sockets on loopback, the clients wake four times as often,
 * which costs the server a fifth more. Only some of the compared servers send pings during a measurement.
 */
export async function measureFanOut(
  load: SocketLoad,
  server: Server,
  frame: string,
  sockets: number,
  seconds: number,
): Promise<FanOut> {
  await load.execute({ type: 'heartbeat', frame })
  const before = server.cpuSeconds()
  const { sent, received, seconds: elapsed } = await load.execute({ type: 'fan-out', frame, burst, seconds })
  const cpuSeconds = server.cpuSeconds() - before
  if (received !== sent * sockets)
    throw new Error(`${sent} frames to ${sockets} sockets resulted in ${received} deliveries`)
  if (received === 0 || cpuSeconds === 0) throw new Error(`Nothing was measured: ${received} deliveries`)
  return { perCpuSecond: received / cpuSeconds, perSecond: received / elapsed }
}

async function fanOutTo(
  harness: Harness,
  sockets: number,
  targets: { baseline?: number; durable?: number; competitor?: number },
): Promise<Result[]> {
  const competitor = await harness.startCompetitor('express-socket.io')
  const competitorFrame = competitor.kind.frame(documentedFrame)
  async function open(server: Server, connect: Opening['connect'], frame = documentedFrame) {
    const load = await openWarm(harness.size, { frame, sockets, connect })
    return {
      measure: () => measureFanOut(load, server, frame, sockets, harness.size.socketSeconds),
      stop: load.stop,
    }
  }

  const competing = await open(
    competitor.server,
    (load, count) => connectToCompetitor(load, competitor, count),
    competitorFrame,
  )
  const measured = await interleaveGenerations(harness.size, async () => {
    const parley = await harness.startParley()
    const minimal = await startMinimal(await harness.startParley())
    const frame = await sampleFrame(parley)
    const servers = {
      baseline: await harness.startBaseline({ frame }),
      durable: await harness.startBaseline({ frame, durable: true }),
    }
    const loads = {
      parley: await open(parley.server, (load, count) => connectToParley(load, parley, count)),
      minimal: await open(minimal.server, (load, count) => connectToParley(load, minimal, count)),
      baseline: await open(servers.baseline, (load, count) =>
        connectToBaseline(load, servers.baseline, count),
      ),
      durable: await open(servers.durable, (load, count) => connectToBaseline(load, servers.durable, count)),
    }
    return {
      measurements: {
        parley: loads.parley.measure,
        minimal: loads.minimal.measure,
        baseline: loads.baseline.measure,
        durable: loads.durable.measure,
        competitor: competing.measure,
      },
      stop: () =>
        Promise.all(
          [...Object.values(loads), parley, minimal, ...Object.values(servers)].map(({ stop }) => stop()),
        ),
    }
  })
  await Promise.all([competing.stop(), competitor.server.stop()])

  const work = `Fan-out, ${sockets.toLocaleString('en-US')} sockets`
  const series = (name: keyof typeof measured, figure: keyof FanOut) =>
    measured[name].map((each) => each[figure])
  const names = {
    parley: 'this server',
    minimal: 'minimal server',
    baseline: 'bare `server.publish`',
    durable: 'bare server, each message stored and committed',
    competitor: 'Socket.IO',
  }
  return [
    {
      work,
      measure: 'deliveries per CPU-second, relative to bare `server.publish`',
      unit: '×',
      samples: ratios(series('parley', 'perCpuSecond'), series('baseline', 'perCpuSecond')),
      limit: ratios(series('minimal', 'perCpuSecond'), series('baseline', 'perCpuSecond')),
      ...atLeast(targets.baseline),
      figures: (['parley', 'minimal', 'baseline', 'durable', 'competitor'] as const).flatMap((name) => [
        { name: names[name], unit: 'deliveries/CPU-s', samples: series(name, 'perCpuSecond') },
        { name: `${names[name]}, wall clock`, unit: 'deliveries/s', samples: series(name, 'perSecond') },
      ]),
    },
    {
      work,
      measure:
        'deliveries per CPU-second, relative to a bare server that parses, stores and commits each message',
      unit: '×',
      samples: ratios(series('parley', 'perCpuSecond'), series('durable', 'perCpuSecond')),
      limit: ratios(series('minimal', 'perCpuSecond'), series('durable', 'perCpuSecond')),
      ...atLeast(targets.durable),
      figures: [],
    },
    {
      work,
      measure: 'that bare server, relative to bare `server.publish`',
      unit: '×',
      samples: ratios(series('durable', 'perCpuSecond'), series('baseline', 'perCpuSecond')),
      figures: [],
    },
    {
      work,
      measure: 'deliveries per CPU-second, relative to Socket.IO',
      unit: '×',
      samples: ratios(series('parley', 'perCpuSecond'), series('competitor', 'perCpuSecond')),
      ...atLeast(targets.competitor),
      figures: [],
    },
  ]
}

const atLeast = (value: number | undefined) =>
  value === undefined ? {} : { target: { sense: 'at least' as const, value } }
