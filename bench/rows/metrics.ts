import { connections, type Harness } from '../harness.ts'
import type { Parley } from '../parley.ts'
import { startSocketLoad } from '../processes.ts'
import type { Result } from '../report.ts'
import { interleaveGenerations } from '../rounds.ts'
import { ratios } from '../statistics.ts'
import { type HttpResult, requireWrk, runWrk } from '../wrk.ts'
import { perCoreSecond } from './profile.ts'
import { connectToParley } from './sockets.ts'

const listeners = 10

/** The share of the rate without metrics that has to remain. */
const minimum = 0.97

/** Compares reads and sends with and without METRICS_PORT, per second of processor time. */
export async function metrics(harness: Harness): Promise<Result[]> {
  requireWrk()
  const [profilePath, sendPath] = ['/api/users/profile', '/api/chats/send']
  const measured = await interleaveGenerations(harness.size, async () => {
    const without = await harness.startParley()
    const counting = await harness.startParley({ metrics: true })
    const sockets = [await startSocketLoad(), await startSocketLoad()] as const
    await connectToParley(sockets[0], without, listeners)
    await connectToParley(sockets[1], counting, listeners)
    const run =
      ({ server, scriptEnvironment: environment }: Parley, path: string, script: string) =>
      () =>
        runWrk({ server, environment, path, script, connections, seconds: harness.size.seconds })
    return {
      measurements: {
        profileWithout: run(without, profilePath, 'get.lua'),
        profileCounting: run(counting, profilePath, 'get.lua'),
        sendWithout: run(without, sendPath, 'send.lua'),
        sendCounting: run(counting, sendPath, 'send.lua'),
      },
      stop: () => Promise.all([...sockets, without, counting].map(({ stop }) => stop())),
    }
  })

  const compare = (
    work: string,
    counted: readonly HttpResult[],
    uncounted: readonly HttpResult[],
  ): Result => ({
    work: `With metrics, ${work}, ${connections} connections`,
    measure: 'per core-second, relative to the same server without `METRICS_PORT`',
    unit: '×',
    samples: ratios(perCoreSecond(counted), perCoreSecond(uncounted)),
    target: { sense: 'at least', value: minimum },
    figures: [
      { name: 'with metrics', unit: 'requests per core-second', samples: perCoreSecond(counted) },
      { name: 'without metrics', unit: 'requests per core-second', samples: perCoreSecond(uncounted) },
    ],
  })
  return [
    compare('GET profile', measured.profileCounting, measured.profileWithout),
    compare(`POST send with ${listeners} listeners`, measured.sendCounting, measured.sendWithout),
  ]
}
