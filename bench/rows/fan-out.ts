import { type Harness, interleave } from '../harness.ts'
import { type Server, type SocketLoad, startSocketLoad } from '../processes.ts'
import type { Result } from '../report.ts'
import { ratios } from '../statistics.ts'
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

/** Sends for the given time. Throws if a frame was lost or delivered more than once. */
export async function measureFanOut(
  load: SocketLoad,
  server: Server,
  frame: string,
  sockets: number,
  seconds: number,
): Promise<FanOut> {
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
  const parley = await harness.startParley()
  const frame = await sampleFrame(parley)
  const baseline = await harness.startBaseline({ frame })
  const durable = await harness.startBaseline({ frame, durable: true })
  const competitor = await harness.startCompetitor('express-socket.io')
  const loads = {
    parley: await startSocketLoad(),
    baseline: await startSocketLoad(),
    durable: await startSocketLoad(),
    competitor: await startSocketLoad(),
  }
  await connectToParley(loads.parley, parley, sockets)
  await connectToBaseline(loads.baseline, baseline, sockets)
  await connectToBaseline(loads.durable, durable, sockets)
  await connectToCompetitor(loads.competitor, competitor, sockets)

  const { socketSeconds } = harness.size
  const measure =
    (name: keyof typeof loads, server: Server, frameToSend = documentedFrame) =>
    () =>
      measureFanOut(loads[name], server, frameToSend, sockets, socketSeconds)
  const measured = await interleave(harness.size, {
    parley: measure('parley', parley.server),
    baseline: measure('baseline', baseline),
    durable: measure('durable', durable),
    competitor: measure('competitor', competitor.server, competitor.kind.frame(documentedFrame)),
  })
  await Promise.all(
    [...Object.values(loads), parley, baseline, durable, competitor.server].map(({ stop }) => stop()),
  )

  const work = `Fan-out, ${sockets.toLocaleString('en-US')} sockets`
  const series = (name: keyof typeof measured, figure: keyof FanOut) =>
    measured[name].map((each) => each[figure])
  const names = {
    parley: 'this server',
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
      ...atLeast(targets.baseline),
      figures: (['parley', 'baseline', 'durable', 'competitor'] as const).flatMap((name) => [
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
