import { type Harness, interleave } from '../harness.ts'
import { type Server, startSocketLoad } from '../processes.ts'
import { type Result, ratios } from '../report.ts'
import { joinBaseline, joinParley } from './sockets.ts'

/** What a socket costs that does nothing, each of another user, in a server that was just started. */
export async function idle(harness: Harness): Promise<Result[]> {
  const { idleSockets: count, settleSeconds } = harness.size

  async function measure(
    server: Server,
    join: (load: Awaited<ReturnType<typeof startSocketLoad>>) => Promise<unknown>,
  ) {
    const load = await startSocketLoad()
    await Bun.sleep(settleSeconds * 1_000)
    const before = server.residentBytes()
    await join(load)
    await Bun.sleep(settleSeconds * 1_000)
    const bytes = (server.residentBytes() - before) / count
    await Promise.all([load.stop(), server.stop()])
    return bytes
  }

  const taken = await interleave(harness.size, {
    parley: async () => {
      const parley = await harness.startParley({ accounts: count, users: count })
      return measure(parley.server, (load) => joinParley(load, parley, count))
    },
    baseline: async () => {
      const baseline = await harness.startBaseline()
      return measure(baseline, (load) => joinBaseline(load, baseline, count))
    },
  })
  return [
    {
      work: `Memory of one of ${count.toLocaleString('en-US')} idle sockets, each of another user`,
      measure: 'of bare `Bun.serve`',
      unit: '×',
      samples: ratios(taken.parley, taken.baseline),
      target: { sense: 'at most', value: 1.5 },
      figures: [
        { name: 'this server', unit: 'bytes/socket', samples: taken.parley },
        { name: 'bare `Bun.serve`', unit: 'bytes/socket', samples: taken.baseline },
      ],
    },
  ]
}
