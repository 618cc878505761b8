import { connections, type Harness, interleave } from '../harness.ts'
import { type Result, ratios } from '../report.ts'
import { type HttpLoad, requireWrk, runWrk } from '../wrk.ts'

/** More than are hashed at once, so that there is always one that waits. */
const logins = 8

/** POST of a login against hashing alone, and what a storm of logins does to those who are logged in. */
export async function login(harness: Harness): Promise<Result[]> {
  requireWrk()
  const parley = await harness.startParley()
  const competitor = await harness.startCompetitor()
  const seconds = harness.size.loginSeconds
  const load = (
    { server, scriptEnvironment }: typeof parley | typeof competitor,
    script: string,
  ): HttpLoad => ({
    server,
    path: script === 'login.lua' ? '/api/auth/login' : '/api/users/profile',
    script,
    environment: scriptEnvironment,
    connections: script === 'login.lua' ? logins : connections,
    seconds,
  })
  const logIn = async (at: typeof parley | typeof competitor) =>
    (await runWrk(load(at, 'login.lua'))).perSecond
  const p99OfReads = async () => (await runWrk(load(parley, 'get.lua'))).p99Ms

  const rates = await interleave(harness.size, {
    parley: () => logIn(parley),
    baseline: () => harness.hashing(logins),
    competitor: () => logIn(competitor),
  })
  const storm = await interleave(harness.size, {
    calm: p99OfReads,
    during: async () => {
      const [p99Ms] = await Promise.all([p99OfReads(), logIn(parley)])
      return p99Ms
    },
  })
  await Promise.all([parley.stop(), competitor.server.stop()])

  const work = `POST login, ${logins} connections`
  return [
    {
      work,
      measure: 'of `Bun.password.verify` alone',
      unit: '×',
      samples: ratios(rates.parley, rates.baseline),
      target: { sense: 'at least', value: 0.95 },
      figures: [
        { name: 'this server', unit: 'logins/s', samples: rates.parley },
        { name: '`Bun.password.verify` alone', unit: 'hashes/s', samples: rates.baseline },
        { name: 'Express', unit: 'logins/s', samples: rates.competitor },
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
