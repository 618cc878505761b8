import { connections, type Harness } from '../harness.ts'
import type { Result } from '../report.ts'
import { interleaveGenerations } from '../rounds.ts'
import { ratios } from '../statistics.ts'
import { type HttpLoad, type HttpResult, requireWrk, runWrk } from '../wrk.ts'
import { sampleResponse, startMinimal } from './minimal.ts'

const path = '/api/users/profile'

/** Compares reads of the profile with the same response from two baselines and from the competitor. */
export async function profile(harness: Harness): Promise<Result[]> {
  requireWrk()
  const competitor = await harness.startCompetitor('express-socket.io')
  const load = { path, script: 'get.lua', connections, seconds: harness.size.seconds }
  const run = (server: HttpLoad['server'], environment: Record<string, string>) => () =>
    runWrk({ ...load, server, environment })

  const measured = await interleaveGenerations(harness.size, async () => {
    const warnLevel = await harness.startParley()
    const accessLog = await harness.startParley({ accessLog: true })
    const baseline = await harness.startBaseline()
    const { headers } = await sampleResponse(warnLevel, path)
    const baselineWithHeaders = await harness.startBaseline({ headers })
    const minimal = await startMinimal(await harness.startParley())
    return {
      measurements: {
        warnLevel: run(warnLevel.server, warnLevel.scriptEnvironment),
        minimal: run(minimal.server, minimal.scriptEnvironment),
        baseline: run(baseline, warnLevel.scriptEnvironment),
        baselineWithHeaders: run(baselineWithHeaders, warnLevel.scriptEnvironment),
        accessLog: run(accessLog.server, accessLog.scriptEnvironment),
        competitor: run(competitor.server, competitor.scriptEnvironment),
      },
      stop: () =>
        Promise.all([warnLevel, accessLog, baseline, baselineWithHeaders, minimal].map(({ stop }) => stop())),
    }
  })
  await competitor.server.stop()

  const rate = (name: keyof typeof measured) => measured[name].map((result) => result.perSecond)
  const work = `GET profile, ${connections} connections`
  const shared = { unit: '×', figures: [] }
  return [
    {
      ...shared,
      work,
      measure: 'relative to bare `Bun.serve`, `LOG_LEVEL=warn`',
      samples: ratios(rate('warnLevel'), rate('baseline')),
      target: { sense: 'at least', value: 0.76, oneOf: 'reads' },
      limit: ratios(rate('minimal'), rate('baseline')),
      figures: [
        { name: 'this server, `LOG_LEVEL=warn`', unit: 'requests/s', samples: rate('warnLevel') },
        { name: 'this server, access log to a file', unit: 'requests/s', samples: rate('accessLog') },
        { name: 'bare `Bun.serve`', unit: 'requests/s', samples: rate('baseline') },
        {
          name: 'bare `Bun.serve` with the same headers',
          unit: 'requests/s',
          samples: rate('baselineWithHeaders'),
        },
        { name: 'minimal server', unit: 'requests/s', samples: rate('minimal') },
        { name: 'Express', unit: 'requests/s', samples: rate('competitor') },
        ...coreFigures({ 'this server': measured.warnLevel, 'bare `Bun.serve`': measured.baseline }),
      ],
    },
    {
      ...shared,
      work,
      measure: 'relative to bare `Bun.serve`, access log to a file',
      samples: ratios(rate('accessLog'), rate('baseline')),
      target: { sense: 'at least', value: 0.55 },
    },
    {
      ...shared,
      work,
      measure: 'relative to a bare server that reads the token and sends the same headers, `LOG_LEVEL=warn`',
      samples: ratios(rate('warnLevel'), rate('baselineWithHeaders')),
      target: { sense: 'at least', value: 0.9, oneOf: 'reads' },
      limit: ratios(rate('minimal'), rate('baselineWithHeaders')),
    },
    {
      ...shared,
      work,
      measure: 'that bare server, relative to bare `Bun.serve`',
      samples: ratios(rate('baselineWithHeaders'), rate('baseline')),
    },
    {
      ...shared,
      work,
      measure: 'per core-second, relative to bare `Bun.serve`, `LOG_LEVEL=warn`',
      samples: ratios(perCoreSecond(measured.warnLevel), perCoreSecond(measured.baseline)),
      limit: ratios(perCoreSecond(measured.minimal), perCoreSecond(measured.baseline)),
    },
    {
      ...shared,
      work,
      measure: 'per core-second, relative to bare `Bun.serve`, access log to a file',
      samples: ratios(perCoreSecond(measured.accessLog), perCoreSecond(measured.baseline)),
    },
    {
      ...shared,
      work,
      measure: 'relative to Express, access log to a file',
      samples: ratios(rate('accessLog'), rate('competitor')),
    },
  ]
}

/** Returns requests per second of the server's processor time. Other processes affect this less than wall-clock rates. */
export function perCoreSecond(results: readonly HttpResult[]): number[] {
  return results.map(({ perSecond, serverCores }) => perSecond / serverCores)
}

/** Figures that show whether the server or wrk was the bottleneck: 1 means that the server used one core fully. */
export function coreFigures(measured: Record<string, readonly HttpResult[]>) {
  return Object.entries(measured).map(([name, results]) => ({
    name: `${name}, cores in use`,
    unit: '',
    samples: results.map((result) => result.serverCores),
  }))
}
