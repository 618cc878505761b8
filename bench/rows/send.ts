import { startSocketLoad } from '../processes.ts'
import { type Result, ratios } from '../report.ts'
import { connections, interleave, type Stage } from '../stage.ts'
import { requireWrk, runWrk } from '../wrk.ts'
import { busyFigures, perCoreSecond } from './profile.ts'
import { joinParley, joinPeer } from './sockets.ts'

const listeners = 10

/** POST of a message: on disk, then with every listener, then answered. The floor only echoes its JSON. */
export async function send(stage: Stage): Promise<Result[]> {
  requireWrk()
  const parley = await stage.parley()
  const floor = await stage.floor()
  const peer = await stage.peer()
  const ours = await startSocketLoad()
  const theirs = await startSocketLoad()
  await joinParley(ours, parley, listeners)
  await joinPeer(theirs, peer, listeners)

  const load = { path: '/api/chats/send', script: 'send.lua', connections, seconds: stage.size.seconds }
  const own = { ...load, server: parley.server, environment: parley.scriptEnvironment }
  const taken = await interleave(stage.size, {
    parley: () => runWrk(own),
    floor: () => runWrk({ ...own, server: floor }),
    peer: () => runWrk({ ...load, server: peer.server, environment: peer.scriptEnvironment }),
  })
  const delivered = await ours.carryOut({ do: 'total' })
  const deliveredByPeer = await theirs.carryOut({ do: 'total' })
  await Promise.all([ours.stop(), theirs.stop(), parley.stop(), floor.stop(), peer.server.stop()])

  for (const [by, { received }] of [
    [taken.parley, delivered],
    [taken.peer, deliveredByPeer],
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
      samples: ratios(rate('parley'), rate('floor')),
      target: { sense: 'at least', value: 0.4 },
      figures: [
        { name: 'this server', unit: 'requests/s', samples: rate('parley') },
        { name: 'bare `Bun.serve`, no listeners', unit: 'requests/s', samples: rate('floor') },
        { name: 'Express and Socket.IO, in memory', unit: 'requests/s', samples: rate('peer') },
        ...busyFigures({ 'this server': taken.parley, 'bare `Bun.serve`': taken.floor }),
      ],
    },
    {
      work,
      measure: 'of a bare echo, per core-second',
      unit: '×',
      samples: ratios(perCoreSecond(taken.parley), perCoreSecond(taken.floor)),
      figures: [],
    },
    {
      work,
      measure: 'of Express and Socket.IO, in memory',
      unit: '×',
      samples: ratios(rate('parley'), rate('peer')),
      figures: [],
    },
  ] satisfies Result[]
}
