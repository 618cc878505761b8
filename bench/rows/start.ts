import { resolve } from 'node:path'
import type { Harness } from '../harness.ts'
import { sourceCommand } from '../parley.ts'
import { measureStart, type Start } from '../processes.ts'
import type { Result } from '../report.ts'
import { interleave } from '../rounds.ts'
import { ratios } from '../statistics.ts'

const requiredImports = resolve(import.meta.dir, '../baselines/required-imports.ts')

/** Measures the start of the process, with an existing database. */
export async function start(harness: Harness): Promise<Result[]> {
  const parley = await harness.startParley({ messages: harness.size.missedMessages })
  await parley.stop()
  // Each start creates its database, which the start of this server does not have to do.
  const elysia = {
    ...(await harness.competitorOptions('elysia')),
    environment: { DATABASE: ':memory:' },
  }
  const [runtime = '', ...script] = elysia.command
  const measured = await interleave(
    { ...harness.size, rounds: harness.size.startRounds },
    {
      compiled: () => measureStart(parley.options),
      bare: () => measureStart(harness.baselineOptions()),
      source: () => measureStart({ ...parley.options, command: sourceCommand }),
      elysia: () => measureStart(elysia),
      limit: () => measureStart({ ...elysia, command: [runtime, '--preload', requiredImports, ...script] }),
    },
  )
  const series = (name: keyof typeof measured, figure: keyof Start) =>
    measured[name].map((each) => each[figure])
  const times = (name: keyof typeof measured) => series(name, 'firstResponseMs')
  const megabytes = (name: keyof typeof measured) => series(name, 'residentBytes').map((bytes) => bytes / 1e6)
  const work = 'Startup, existing database'
  const withImports = 'with Drizzle, the tables and the documents'
  return [
    {
      work,
      measure: 'compiled, time to the first response, relative to bare `Bun.serve` from source',
      unit: '×',
      samples: ratios(times('compiled'), times('bare')),
      target: { sense: 'at most', value: 5.5 },
      figures: [
        { name: 'this server, compiled', unit: 'ms', samples: times('compiled') },
        { name: 'this server, from source', unit: 'ms', samples: times('source') },
        { name: 'bare `Bun.serve`, from source', unit: 'ms', samples: times('bare') },
        { name: 'plain Elysia with `.ws()`, from source', unit: 'ms', samples: times('elysia') },
        { name: `plain Elysia, ${withImports}`, unit: 'ms', samples: times('limit') },
      ],
    },
    {
      work,
      measure: 'from source, time to the first response, relative to plain Elysia with `.ws()`',
      unit: '×',
      samples: ratios(times('source'), times('elysia')),
      limit: ratios(times('limit'), times('elysia')),
      target: { sense: 'at most', value: 1.3 },
      figures: [],
    },
    {
      work,
      measure: 'from source, resident memory, relative to plain Elysia with `.ws()`',
      unit: '×',
      samples: ratios(megabytes('source'), megabytes('elysia')),
      limit: ratios(megabytes('limit'), megabytes('elysia')),
      target: { sense: 'at most', value: 1.3 },
      figures: [
        { name: 'this server, compiled, resident memory', unit: 'MB', samples: megabytes('compiled') },
        { name: 'this server, from source, resident memory', unit: 'MB', samples: megabytes('source') },
        { name: 'bare `Bun.serve`, resident memory', unit: 'MB', samples: megabytes('bare') },
        { name: 'plain Elysia with `.ws()`, resident memory', unit: 'MB', samples: megabytes('elysia') },
        { name: `plain Elysia, ${withImports}, resident memory`, unit: 'MB', samples: megabytes('limit') },
      ],
    },
  ]
}
