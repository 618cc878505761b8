import { type Harness, interleave } from '../harness.ts'
import { type Server, type SocketLoad, startSocketLoad } from '../processes.ts'
import { type Result, ratios } from '../report.ts'
import { frames, joinBaseline, joinCompetitor, joinParley, sampleFrame } from './sockets.ts'

/** So many frames are sent before the sender waits until everyone has them. */
const burst = 64

interface FanOut {
  /** Deliveries per second of the server's processor time, and per second by the clock. */
  perCpuSecond: number
  perSecond: number
}

/** One socket sends; every socket gets every frame, the sender too. */
export async function fanOut(harness: Harness): Promise<Result[]> {
  return [
    ...(await fanOutTo(harness, harness.size.manySockets, { baseline: 0.9, competitor: 15 })),
    ...(await fanOutTo(harness, harness.size.fewSockets, { baseline: 0.5 })),
  ]
}

/** Sends for so long, and fails where a frame is missing or comes twice. */
export async function measureFanOut(
  load: SocketLoad,
  server: Server,
  frame: string,
  sockets: number,
  seconds: number,
): Promise<FanOut> {
  const before = server.cpuSeconds()
  const answer = await load.carryOut({ do: 'fan-out', frame, burst, seconds })
  const cpuSeconds = server.cpuSeconds() - before
  if (answer.received !== answer.sent * sockets)
    throw new Error(`${answer.sent} frames to ${sockets} sockets were delivered ${answer.received} times`)
  return { perCpuSecond: answer.received / cpuSeconds, perSecond: answer.received / answer.seconds }
}

async function fanOutTo(
  harness: Harness,
  sockets: number,
  targets: { baseline: number; competitor?: number },
): Promise<Result[]> {
  const parley = await harness.startParley()
  const frame = await sampleFrame(parley)
  const baseline = await harness.startBaseline({ frame })
  const durable = await harness.startBaseline({ frame, durable: true })
  const competitor = await harness.startCompetitor()
  const loads = {
    parley: await startSocketLoad(),
    baseline: await startSocketLoad(),
    durable: await startSocketLoad(),
    competitor: await startSocketLoad(),
  }
  await joinParley(loads.parley, parley, sockets)
  await joinBaseline(loads.baseline, baseline, sockets)
  await joinBaseline(loads.durable, durable, sockets)
  await joinCompetitor(loads.competitor, competitor, sockets)

  const { seconds } = harness.size
  const measure = (name: keyof typeof loads, server: Server) => () =>
    measureFanOut(loads[name], server, frames[name], sockets, seconds)
  const taken = await interleave(harness.size, {
    parley: measure('parley', parley.server),
    baseline: measure('baseline', baseline),
    durable: measure('durable', durable),
    competitor: measure('competitor', competitor.server),
  })
  await Promise.all(
    [...Object.values(loads), parley, baseline, durable, competitor.server].map(({ stop }) => stop()),
  )

  const work = `Fan-out, ${sockets.toLocaleString('en-US')} sockets`
  const per = (name: keyof typeof taken, figure: keyof FanOut) => taken[name].map((each) => each[figure])
  const names = {
    parley: 'this server',
    baseline: 'bare `server.publish`',
    durable: 'bare, each message written and committed',
    competitor: 'Socket.IO',
  }
  return [
    {
      work,
      measure: 'of bare `server.publish`, deliveries per CPU-second',
      unit: '×',
      samples: ratios(per('parley', 'perCpuSecond'), per('baseline', 'perCpuSecond')),
      target: { sense: 'at least', value: targets.baseline },
      figures: (['parley', 'baseline', 'durable', 'competitor'] as const).flatMap((name) => [
        { name: names[name], unit: 'deliveries/CPU-s', samples: per(name, 'perCpuSecond') },
        { name: `${names[name]}, by the clock`, unit: 'deliveries/s', samples: per(name, 'perSecond') },
      ]),
    },
    {
      work,
      measure: 'of a bare server that parses, writes and commits each message',
      unit: '×',
      samples: ratios(per('parley', 'perCpuSecond'), per('durable', 'perCpuSecond')),
      figures: [],
    },
    {
      work,
      measure: 'that bare server itself, of bare `server.publish`',
      unit: '×',
      samples: ratios(per('durable', 'perCpuSecond'), per('baseline', 'perCpuSecond')),
      figures: [],
    },
    {
      work,
      measure: 'of Socket.IO, deliveries per CPU-second',
      unit: '×',
      samples: ratios(per('parley', 'perCpuSecond'), per('competitor', 'perCpuSecond')),
      ...(targets.competitor !== undefined && {
        target: { sense: 'at least' as const, value: targets.competitor },
      }),
      figures: [],
    },
  ]
}
