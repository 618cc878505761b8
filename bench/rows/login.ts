import { type Result, ratios } from '../report.ts'
import { connections, interleave, type Stage } from '../stage.ts'
import { type HttpLoad, requireWrk, runWrk } from '../wrk.ts'

/** More than are hashed at once, so that there is always one that waits. */
const logins = 8

/** POST of a login against hashing alone, and what a storm of logins does to those who are logged in. */
export async function login(stage: Stage): Promise<Result[]> {
  requireWrk()
  const parley = await stage.parley()
  const peer = await stage.peer()
  const seconds = stage.size.loginSeconds
  const load = ({ server, scriptEnvironment }: typeof parley | typeof peer, script: string): HttpLoad => ({
    server,
    path: script === 'login.lua' ? '/api/auth/login' : '/api/users/profile',
    script,
    environment: scriptEnvironment,
    connections: script === 'login.lua' ? logins : connections,
    seconds,
  })
  const logIn = async (at: typeof parley | typeof peer) => (await runWrk(load(at, 'login.lua'))).perSecond
  const p99OfReads = async () => (await runWrk(load(parley, 'get.lua'))).p99Ms

  const rates = await interleave(stage.size, {
    parley: () => logIn(parley),
    floor: () => stage.hashing(logins),
    peer: () => logIn(peer),
  })
  const storm = await interleave(stage.size, {
    calm: p99OfReads,
    during: async () => {
      const [p99Ms] = await Promise.all([p99OfReads(), logIn(parley)])
      return p99Ms
    },
  })
  await Promise.all([parley.stop(), peer.server.stop()])

  const work = `POST login, ${logins} connections`
  return [
    {
      work,
      measure: 'of `Bun.password.verify` alone',
      unit: '×',
      samples: ratios(rates.parley, rates.floor),
      target: { sense: 'at least', value: 0.95 },
      figures: [
        { name: 'this server', unit: 'logins/s', samples: rates.parley },
        { name: '`Bun.password.verify` alone', unit: 'hashes/s', samples: rates.floor },
        { name: 'Express', unit: 'logins/s', samples: rates.peer },
      ],
    },
    {
      work: `GET profile, ${connections} connections, while logins run at their limit`,
      measure: 'p99 of the same without logins',
      unit: '×',
      samples: ratios(storm.during, storm.calm),
      target: { sense: 'at most', value: 5 },
      figures: [
        { name: 'p99 with logins', unit: 'ms', samples: storm.during },
        { name: 'p99 without', unit: 'ms', samples: storm.calm },
      ],
    },
  ]
}
