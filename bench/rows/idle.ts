import { type Harness, interleave, slowRounds } from '../harness.ts'
import { type Server, startSocketLoad } from '../processes.ts'
import type { Result } from '../report.ts'
import { ratios } from '../statistics.ts'
import { connectToBaseline, connectToParley } from './sockets.ts'

/** Measures the memory per idle socket in a server that has just started. Each socket belongs to another user. */
export async function idle(harness: Harness): Promise<Result[]> {
  const { idleSockets: count, settleSeconds } = harness.size

  async function measure(
    server: Server,
    connect: (load: Awaited<ReturnType<typeof startSocketLoad>>) => Promise<unknown>,
  ) {
    const load = await startSocketLoad()
    await Bun.sleep(settleSeconds * 1_000)
    const before = server.residentBytes()
    await connect(load)
    await Bun.sleep(settleSeconds * 1_000)
    const bytes = (server.residentBytes() - before) / count
    await Promise.all([load.stop(), server.stop()])
    return bytes
  }

  const measured = await interleave(slowRounds(harness.size), {
    parley: async () => {
      const parley = await harness.startParley({ accounts: count, users: count })
      return measure(parley.server, (load) => connectToParley(load, parley, count))
    },
    baseline: async () => {
      const baseline = await harness.startBaseline()
      return measure(baseline, (load) => connectToBaseline(load, baseline, count))
    },
  })
  return [
    {
      work: `Memory per idle socket, ${count.toLocaleString('en-US')} sockets, one per user`,
      measure: 'relative to bare `Bun.serve`',
      unit: '×',
      samples: ratios(measured.parley, measured.baseline),
      target: { sense: 'at most', value: 1.3 },
      figures: [
        { name: 'this server', unit: 'bytes/socket', samples: measured.parley },
        { name: 'bare `Bun.serve`', unit: 'bytes/socket', samples: measured.baseline },
      ],
    },
  ]
}
