import { connections, type Harness, interleave } from '../harness.ts'
import { startSocketLoad } from '../processes.ts'
import type { Result } from '../report.ts'
import { ratios } from '../statistics.ts'
import { requireWrk, runWrk } from '../wrk.ts'
import { coreFigures, perCoreSecond } from './profile.ts'
import { connectToCompetitor, connectToParley } from './sockets.ts'

const listeners = 10

/** Measures sends. Parley commits and delivers a message before it responds. The baseline only echoes the JSON. */
export async function send(harness: Harness): Promise<Result[]> {
  requireWrk()
  const parley = await harness.startParley()
  const baseline = await harness.startBaseline()
  const competitor = await harness.startCompetitor('express-socket.io')
  const parleyListeners = await startSocketLoad()
  const competitorListeners = await startSocketLoad()
  await connectToParley(parleyListeners, parley, listeners)
  await connectToCompetitor(competitorListeners, competitor, listeners)

  const load = { path: '/api/chats/send', script: 'send.lua', connections, seconds: harness.size.seconds }
  const parleyLoad = { ...load, server: parley.server, environment: parley.scriptEnvironment }
  const measured = await interleave(harness.size, {
    parley: () => runWrk(parleyLoad),
    baseline: () => runWrk({ ...parleyLoad, server: baseline }),
    competitor: () =>
      runWrk({ ...load, server: competitor.server, environment: competitor.scriptEnvironment }),
  })
  const delivered = await parleyListeners.execute({ type: 'count' })
  const deliveredByCompetitor = await competitorListeners.execute({ type: 'count' })
  await Promise.all([
    parleyListeners.stop(),
    competitorListeners.stop(),
    parley.stop(),
    baseline.stop(),
    competitor.server.stop(),
  ])

  for (const [results, { received }] of [
    [measured.parley, delivered],
    [measured.competitor, deliveredByCompetitor],
  ] as const) {
    const accepted = results.reduce((sum, { requests }) => sum + requests, 0)
    if (received < accepted * listeners)
      throw new Error('A message was accepted but not delivered to all listeners')
  }
  const rate = (name: keyof typeof measured) => measured[name].map((result) => result.perSecond)
  const work = `POST send, ${connections} connections, durable, ${listeners} listeners`
  return [
    {
      work,
      measure: 'relative to a bare `Bun.serve` JSON echo',
      unit: '×',
      samples: ratios(rate('parley'), rate('baseline')),
      target: { sense: 'at least', value: 0.58 },
      figures: [
        { name: 'this server', unit: 'requests/s', samples: rate('parley') },
        { name: 'bare `Bun.serve`, no listeners', unit: 'requests/s', samples: rate('baseline') },
        { name: 'Express and Socket.IO, durable', unit: 'requests/s', samples: rate('competitor') },
        ...coreFigures({ 'this server': measured.parley, 'bare `Bun.serve`': measured.baseline }),
      ],
    },
    {
      work,
      measure: 'per core-second, relative to a bare `Bun.serve` JSON echo',
      unit: '×',
      samples: ratios(perCoreSecond(measured.parley), perCoreSecond(measured.baseline)),
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
