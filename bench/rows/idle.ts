import type { Harness, Size } from '../harness.ts'
import { type Server, type SocketLoad, startSocketLoad } from '../processes.ts'
import type { Result } from '../report.ts'
import { repeat } from '../rounds.ts'
import { ratios } from '../statistics.ts'
import { connectToBaseline, connectToParley } from './sockets.ts'

/** Opens sockets, returns the memory that each of them added, and stops the server. */
export async function memoryPerSocket(
  server: Server,
  connect: (load: SocketLoad) => Promise<unknown>,
  { count, settleSeconds, idleSeconds }: { count: number } & Pick<Size, 'settleSeconds' | 'idleSeconds'>,
): Promise<number> {
  const load = await startSocketLoad()
  await Bun.sleep(settleSeconds * 1_000)
  const before = server.residentBytes()
  await connect(load)
  await Bun.sleep(idleSeconds * 1_000)
  const bytes = (server.residentBytes() - before) / count
  await Promise.all([load.stop(), server.stop()])
  return bytes
}

/** Measures the memory per idle socket in a server that has just started. Each socket belongs to another user. */
export async function idle(harness: Harness): Promise<Result[]> {
  const { idleSockets: count } = harness.size

  const measure = (server: Server, connect: (load: SocketLoad) => Promise<unknown>) =>
    memoryPerSocket(server, connect, { ...harness.size, count })

  const measureParley = async () => {
    const parley = await harness.startParley({ accounts: count, users: count })
    return measure(parley.server, (load) => connectToParley(load, parley, count))
  }
  const measureBaseline = async () => {
    const baseline = await harness.startBaseline()
    return measure(baseline, (load) => connectToBaseline(load, baseline, count))
  }
  // At the same time: a round is long, and memory, unlike speed, does not depend on what else the machine does.
  // Without a warm-up, since every round starts new servers.
  const pairs = await repeat({ rounds: harness.size.slowRounds, warmUpRounds: 0 }, () =>
    Promise.all([measureParley(), measureBaseline()]),
  )
  const [parley, baseline] = [pairs.map(([ours]) => ours), pairs.map(([, theirs]) => theirs)]
  return [
    {
      work: `Memory per idle socket, ${count.toLocaleString('en-US')} sockets, one per user`,
      measure: 'relative to bare `Bun.serve`',
      unit: '×',
      samples: ratios(parley, baseline),
      target: { sense: 'at most', value: 1.3 },
      figures: [
        { name: 'this server', unit: 'bytes/socket', samples: parley },
        { name: 'bare `Bun.serve`', unit: 'bytes/socket', samples: baseline },
      ],
    },
  ]
}
