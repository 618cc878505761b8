import { connections, type Harness } from '../harness.ts'
import { type Server, type SocketLoad, startSocketLoad } from '../processes.ts'
import type { Result } from '../report.ts'
import { interleaveGenerations } from '../rounds.ts'
import { ratios } from '../statistics.ts'
import { type HttpResult, requireWrk, runWrk } from '../wrk.ts'
import { startMinimal } from './minimal.ts'
import { coreFigures, perCoreSecond } from './profile.ts'
import { connectToCompetitor, connectToParley } from './sockets.ts'

const listeners = 10

/** Opens the listeners of one server. When they are stopped, they require that all accepted messages were delivered. */
async function listen(connect: (load: SocketLoad) => Promise<unknown>) {
  const load = await startSocketLoad()
  await connect(load)
  let accepted = 0
  return {
    /** Adds the requests of a measurement to the accepted messages. */
    counting: (measure: () => Promise<HttpResult>) => async () => {
      const result = await measure()
      accepted += result.requests
      return result
    },
    async stop() {
      const { received } = await load.execute({ type: 'count' })
      if (received < accepted * listeners)
        throw new Error('A message was accepted but not delivered to all listeners')
      await load.stop()
    },
  }
}

/** Measures sends. Parley commits and delivers a message before it responds. The baseline only echoes the JSON. */
export async function send(harness: Harness): Promise<Result[]> {
  requireWrk()
  const competitor = await harness.startCompetitor('express-socket.io')
  const competitorListeners = await listen((load) => connectToCompetitor(load, competitor, listeners))
  const load = { path: '/api/chats/send', script: 'send.lua', connections, seconds: harness.size.seconds }
  const measureCompetitor = competitorListeners.counting(() =>
    runWrk({ ...load, server: competitor.server, environment: competitor.scriptEnvironment }),
  )

  const measured = await interleaveGenerations(harness.size, async () => {
    const parley = await harness.startParley()
    const baseline = await harness.startBaseline()
    const minimal = await startMinimal(await harness.startParley())
    const parleyListeners = await listen((load) => connectToParley(load, parley, listeners))
    const minimalListeners = await listen((load) => connectToParley(load, minimal, listeners))
    const run =
      (server: Server, { scriptEnvironment: environment } = parley) =>
      () =>
        runWrk({ ...load, server, environment })
    return {
      measurements: {
        parley: parleyListeners.counting(run(parley.server)),
        minimal: minimalListeners.counting(run(minimal.server, minimal)),
        baseline: run(baseline),
        competitor: measureCompetitor,
      },
      async stop() {
        await parleyListeners.stop()
        await minimalListeners.stop()
        await Promise.all([parley, minimal, baseline].map(({ stop }) => stop()))
      },
    }
  })
  await competitorListeners.stop()
  await competitor.server.stop()

  const rate = (name: keyof typeof measured) => measured[name].map((result) => result.perSecond)
  const work = `POST send, ${connections} connections, durable, ${listeners} listeners`
  return [
    {
      work,
      measure: 'relative to a bare `Bun.serve` JSON echo',
      unit: '×',
      samples: ratios(rate('parley'), rate('baseline')),
      target: { sense: 'at least', value: 0.58 },
      limit: ratios(rate('minimal'), rate('baseline')),
      figures: [
        { name: 'this server', unit: 'requests/s', samples: rate('parley') },
        { name: 'minimal server', unit: 'requests/s', samples: rate('minimal') },
        { name: 'bare `Bun.serve`, no listeners', unit: 'requests/s', samples: rate('baseline') },
        { name: 'Express and Socket.IO, durable', unit: 'requests/s', samples: rate('competitor') },
        ...coreFigures({
          'this server': measured.parley,
          'minimal server': measured.minimal,
          'bare `Bun.serve`': measured.baseline,
        }),
      ],
    },
    {
      work,
      measure: 'per core-second, relative to a bare `Bun.serve` JSON echo',
      unit: '×',
      samples: ratios(perCoreSecond(measured.parley), perCoreSecond(measured.baseline)),
      limit: ratios(perCoreSecond(measured.minimal), perCoreSecond(measured.baseline)),
      figures: [],
    },
    {
      work,
      measure: 'relative to Express and Socket.IO, durable',
      unit: '×',
      samples: ratios(rate('parley'), rate('competitor')),
      figures: [],
    },
  ] satisfies Result[]
}
