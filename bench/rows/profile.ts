import { connections, type Harness, interleave } from '../harness.ts'
import type { Parley } from '../parley.ts'
import { type Result, ratios } from '../report.ts'
import { type HttpLoad, type HttpResult, requireWrk, runWrk } from '../wrk.ts'

const path = '/api/users/profile'

/** GET of the profile, against the same answer from a bare server and from the competitor. */
export async function profile(harness: Harness): Promise<Result[]> {
  requireWrk()
  const quiet = await harness.startParley()
  const logging = await harness.startParley({ accessLog: true })
  const baseline = await harness.startBaseline()
  const headed = await harness.startBaseline({ headers: await headersOf(quiet, path) })
  const competitor = await harness.startCompetitor()

  const load = { path, script: 'get.lua', connections, seconds: harness.size.seconds }
  const run = (server: HttpLoad['server'], environment: Record<string, string>) => () =>
    runWrk({ ...load, server, environment })
  const taken = await interleave(harness.size, {
    quiet: run(quiet.server, quiet.scriptEnvironment),
    baseline: run(baseline, quiet.scriptEnvironment),
    headed: run(headed, quiet.scriptEnvironment),
    logging: run(logging.server, logging.scriptEnvironment),
    competitor: run(competitor.server, competitor.scriptEnvironment),
  })
  await Promise.all([quiet, logging, baseline, headed, competitor.server].map(({ stop }) => stop()))

  const rate = (name: keyof typeof taken) => taken[name].map((result) => result.perSecond)
  const work = `GET profile, ${connections} connections`
  const shared = { unit: '×', figures: [] }
  return [
    {
      ...shared,
      work,
      measure: 'of bare `Bun.serve`, `LOG_LEVEL=warn`',
      samples: ratios(rate('quiet'), rate('baseline')),
      target: { sense: 'at least', value: 0.7 },
      figures: [
        { name: 'this server, `LOG_LEVEL=warn`', unit: 'requests/s', samples: rate('quiet') },
        { name: 'this server, access log', unit: 'requests/s', samples: rate('logging') },
        { name: 'bare `Bun.serve`', unit: 'requests/s', samples: rate('baseline') },
        { name: 'bare `Bun.serve` with these headers', unit: 'requests/s', samples: rate('headed') },
        { name: 'Express', unit: 'requests/s', samples: rate('competitor') },
        ...busyFigures({ 'this server': taken.quiet, 'bare `Bun.serve`': taken.baseline }),
      ],
    },
    {
      ...shared,
      work,
      measure: 'of bare `Bun.serve`, access log into a file',
      samples: ratios(rate('logging'), rate('baseline')),
      target: { sense: 'at least', value: 0.55 },
    },
    {
      ...shared,
      work,
      measure: 'of a bare server that reads the token and answers with the same headers, `LOG_LEVEL=warn`',
      samples: ratios(rate('quiet'), rate('headed')),
    },
    {
      ...shared,
      work,
      measure: 'that bare server itself, of bare `Bun.serve`',
      samples: ratios(rate('headed'), rate('baseline')),
    },
    {
      ...shared,
      work,
      measure: 'of bare `Bun.serve`, `LOG_LEVEL=warn`, per core-second',
      samples: ratios(perCoreSecond(taken.quiet), perCoreSecond(taken.baseline)),
    },
    {
      ...shared,
      work,
      measure: 'of bare `Bun.serve`, access log, per core-second',
      samples: ratios(perCoreSecond(taken.logging), perCoreSecond(taken.baseline)),
    },
    {
      ...shared,
      work,
      measure: 'of Express, access log into a file',
      samples: ratios(rate('logging'), rate('competitor')),
    },
  ]
}

/** The headers of an answer, but for those that `Bun.serve` adds by itself. */
async function headersOf({ server, tokens }: Parley, from: string): Promise<Record<string, string>> {
  const answer = await fetch(`http://127.0.0.1:${server.port}${from}`, {
    headers: { authorization: `Bearer ${tokens[0]}` },
  })
  const { date, 'content-length': length, 'content-type': type, ...headers } = answer.headers.toJSON()
  return headers
}

/** What a core in full use would have answered: steadier than the clock where others use the machine. */
export function perCoreSecond(results: readonly HttpResult[]): number[] {
  return results.map(({ perSecond, serverBusy }) => perSecond / serverBusy)
}

/** Shows that the server was the one at its limit, not wrk: about 1 is one core in full use. */
export function busyFigures(taken: Record<string, readonly HttpResult[]>) {
  return Object.entries(taken).map(([name, results]) => ({
    name: `${name}, cores in use`,
    unit: '',
    samples: results.map((result) => result.serverBusy),
  }))
}
