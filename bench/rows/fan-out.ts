import { type Server, type SocketLoad, startSocketLoad } from '../processes.ts'
import { type Result, ratios } from '../report.ts'
import { interleave, type Stage } from '../stage.ts'
import { frames, joinFloor, joinParley, joinPeer, sampleFrame } from './sockets.ts'

/** So many frames are sent before the sender waits until everyone has them. */
const burst = 64

interface FanOut {
  /** Deliveries per second of the server's processor time, and per second by the clock. */
  perCpuSecond: number
  perSecond: number
}

/** One socket sends; every socket gets every frame, the sender too. */
export async function fanOut(stage: Stage): Promise<Result[]> {
  return [
    ...(await fanOutTo(stage, stage.size.manySockets, { floor: 0.9, peer: 15 })),
    ...(await fanOutTo(stage, stage.size.fewSockets, { floor: 0.5 })),
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
  stage: Stage,
  sockets: number,
  targets: { floor: number; peer?: number },
): Promise<Result[]> {
  const parley = await stage.parley()
  const frame = await sampleFrame(parley)
  const floor = await stage.floor({ frame })
  const durable = await stage.floor({ frame, durable: true })
  const peer = await stage.peer()
  const loads = {
    parley: await startSocketLoad(),
    floor: await startSocketLoad(),
    durable: await startSocketLoad(),
    peer: await startSocketLoad(),
  }
  await joinParley(loads.parley, parley, sockets)
  await joinFloor(loads.floor, floor, sockets)
  await joinFloor(loads.durable, durable, sockets)
  await joinPeer(loads.peer, peer, sockets)

  const { seconds } = stage.size
  const measure = (name: keyof typeof loads, server: Server) => () =>
    measureFanOut(loads[name], server, frames[name], sockets, seconds)
  const taken = await interleave(stage.size, {
    parley: measure('parley', parley.server),
    floor: measure('floor', floor),
    durable: measure('durable', durable),
    peer: measure('peer', peer.server),
  })
  await Promise.all([...Object.values(loads), parley, floor, durable, peer.server].map(({ stop }) => stop()))

  const work = `Fan-out, ${sockets.toLocaleString('en-US')} sockets`
  const per = (name: keyof typeof taken, figure: keyof FanOut) => taken[name].map((each) => each[figure])
  const names = {
    parley: 'this server',
    floor: 'bare `server.publish`',
    durable: 'bare, each message written and committed',
    peer: 'Socket.IO',
  }
  return [
    {
      work,
      measure: 'of bare `server.publish`, deliveries per CPU-second',
      unit: '×',
      samples: ratios(per('parley', 'perCpuSecond'), per('floor', 'perCpuSecond')),
      target: { sense: 'at least', value: targets.floor },
      figures: (['parley', 'floor', 'durable', 'peer'] as const).flatMap((name) => [
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
      samples: ratios(per('durable', 'perCpuSecond'), per('floor', 'perCpuSecond')),
      figures: [],
    },
    {
      work,
      measure: 'of Socket.IO, deliveries per CPU-second',
      unit: '×',
      samples: ratios(per('parley', 'perCpuSecond'), per('peer', 'perCpuSecond')),
      ...(targets.peer !== undefined && { target: { sense: 'at least' as const, value: targets.peer } }),
      figures: [],
    },
  ]
}
