import { connections, type Harness } from '../harness.ts'
import type { Result } from '../report.ts'
import { interleave, slowRounds } from '../rounds.ts'
import { ratios } from '../statistics.ts'
import { type HttpLoad, requireWrk, runWrk } from '../wrk.ts'

/** More connections than the server hashes passwords in parallel, so that its queue is never empty. */
const loginConnections = 8

/** Compares logins with password hashing alone, and measures how many logins affect the latency of other requests. */
export async function login(harness: Harness): Promise<Result[]> {
  requireWrk()
  const parley = await harness.startParley()
  const competitor = await harness.startCompetitor('express-socket.io')
  const seconds = harness.size.loginSeconds
  const load = (
    { server, scriptEnvironment }: typeof parley | typeof competitor,
    script: string,
  ): HttpLoad => ({
    server,
    path: script === 'login.lua' ? '/api/auth/login' : '/api/users/profile',
    script,
    environment: scriptEnvironment,
    connections: script === 'login.lua' ? loginConnections : connections,
    seconds,
  })
  const loginRate = async (target: typeof parley | typeof competitor) =>
    (await runWrk(load(target, 'login.lua'))).perSecond
  const readP99Ms = async () => (await runWrk(load(parley, 'get.lua'))).p99Ms

  const rates = await interleave(slowRounds(harness.size), {
    parley: () => loginRate(parley),
    baseline: () => harness.measureHashing(loginConnections),
    competitor: () => loginRate(competitor),
  })
  const latencies = await interleave(slowRounds(harness.size), {
    withoutLogins: readP99Ms,
    duringLogins: async () => {
      const [p99Ms] = await Promise.all([readP99Ms(), loginRate(parley)])
      return p99Ms
    },
  })
  await Promise.all([parley.stop(), competitor.server.stop()])

  const work = `POST login, ${loginConnections} connections`
  return [
    {
      work,
      measure: 'relative to `Bun.password.verify` alone',
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
      work: `GET profile, ${connections} connections, during logins`,
      measure: 'p99 latency, relative to the p99 without logins',
      unit: '×',
      samples: ratios(latencies.duringLogins, latencies.withoutLogins),
      target: { sense: 'at most', value: 5 },
      figures: [
        { name: 'p99 latency during logins', unit: 'ms', samples: latencies.duringLogins },
        { name: 'p99 latency without logins', unit: 'ms', samples: latencies.withoutLogins },
      ],
    },
  ]
}
