import { connections, type Harness, interleave } from '../harness.ts'
import { startSocketLoad } from '../processes.ts'
import { type Result, ratios } from '../report.ts'
import { requireWrk, runWrk } from '../wrk.ts'
import { busyFigures, perCoreSecond } from './profile.ts'
import { joinCompetitor, joinParley } from './sockets.ts'

const listeners = 10

/** POST of a message: on disk, then with every listener, then answered. The baseline only echoes its JSON. */
export async function send(harness: Harness): Promise<Result[]> {
  requireWrk()
  const parley = await harness.startParley()
  const baseline = await harness.startBaseline()
  const competitor = await harness.startCompetitor()
  const ours = await startSocketLoad()
  const theirs = await startSocketLoad()
  await joinParley(ours, parley, listeners)
  await joinCompetitor(theirs, competitor, listeners)

  const load = { path: '/api/chats/send', script: 'send.lua', connections, seconds: harness.size.seconds }
  const own = { ...load, server: parley.server, environment: parley.scriptEnvironment }
  const taken = await interleave(harness.size, {
    parley: () => runWrk(own),
    baseline: () => runWrk({ ...own, server: baseline }),
    competitor: () =>
      runWrk({ ...load, server: competitor.server, environment: competitor.scriptEnvironment }),
  })
  const delivered = await ours.carryOut({ do: 'total' })
  const deliveredByCompetitor = await theirs.carryOut({ do: 'total' })
  await Promise.all([ours.stop(), theirs.stop(), parley.stop(), baseline.stop(), competitor.server.stop()])

  for (const [by, { received }] of [
    [taken.parley, delivered],
    [taken.competitor, deliveredByCompetitor],
  ] as const) {
    const answered = by.reduce((sum, { requests }) => sum + requests, 0)
    if (received < answered * listeners) throw new Error('A message was answered and not delivered')
  }
  const rate = (name: keyof typeof taken) => taken[name].map((result) => result.perSecond)
  const work = `POST send, ${connections} connections, durable, ${listeners} listeners`
  return [
    {
      work,
      measure: 'of a bare `Bun.serve` JSON echo',
      unit: '×',
      samples: ratios(rate('parley'), rate('baseline')),
      target: { sense: 'at least', value: 0.4 },
      figures: [
        { name: 'this server', unit: 'requests/s', samples: rate('parley') },
        { name: 'bare `Bun.serve`, no listeners', unit: 'requests/s', samples: rate('baseline') },
        { name: 'Express and Socket.IO, in memory', unit: 'requests/s', samples: rate('competitor') },
        ...busyFigures({ 'this server': taken.parley, 'bare `Bun.serve`': taken.baseline }),
      ],
    },
    {
      work,
      measure: 'of a bare echo, per core-second',
      unit: '×',
      samples: ratios(perCoreSecond(taken.parley), perCoreSecond(taken.baseline)),
      figures: [],
    },
    {
      work,
      measure: 'of Express and Socket.IO, in memory',
      unit: '×',
      samples: ratios(rate('parley'), rate('competitor')),
      figures: [],
    },
  ] satisfies Result[]
}
