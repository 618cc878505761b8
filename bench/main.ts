// `bun run bench` measures Parley, the baselines and the competitors in one run. It prints a report and also writes
// it to a folder, as Markdown and as JSON. docs/benchmark.json is a copy of such a JSON file, and `bun run docs`
// renders it into the documentation.

import { mkdir } from 'node:fs/promises'
import { cpus, release } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Harness, openHarness, sizes } from './harness.ts'
import { buildParley, root } from './parley.ts'
import { stopEverything } from './processes.ts'
import { type Run, renderReport, type Setting } from './report.ts'
import { fanOut } from './rows/fan-out.ts'
import { growth } from './rows/growth.ts'
import { idle } from './rows/idle.ts'
import { login } from './rows/login.ts'
import { metrics } from './rows/metrics.ts'
import { profile } from './rows/profile.ts'
import { resume } from './rows/resume.ts'
import { send } from './rows/send.ts'
import { start } from './rows/start.ts'
import { MissingTool } from './wrk.ts'

const rows: Record<string, (harness: Harness) => Promise<Run['results']>> = {
  profile,
  send,
  login,
  metrics,
  'fan-out': fanOut,
  resume,
  idle,
  start,
  growth,
}

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    reports: { type: 'string', default: join(root, 'reports') },
  },
})
const selected = values.only?.split(',') ?? Object.keys(rows)
const unknown = selected.filter((name) => !rows[name])
if (unknown.length > 0) {
  console.error(`Unknown row: ${unknown.join(', ')}. The rows are ${Object.keys(rows).join(', ')}.`)
  process.exit(2)
}

const kind = values.quick ? 'quick' : 'full'
const { command, name: build } = await buildParley()
const harness = await openHarness(sizes[kind], command)
// Also clean up when the run is interrupted.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void cleanUp().then(() => process.exit(130)))

try {
  const run: Run = { notes: notes(), settings: await settings(), results: [] }
  for (const name of selected) {
    console.error(`Measuring ${name} …`)
    await flushDisk()
    run.results.push(...((await rows[name]?.(harness)) ?? []))
    await writeReports(run)
  }
  console.log(renderReport(run))
} catch (error) {
  console.error(error instanceof MissingTool ? error.message : error)
  process.exitCode = 1
} finally {
  await cleanUp()
}

/** Flushes the writes of earlier rows, which would otherwise slow down the commits of the next row. */
function flushDisk() {
  return Bun.spawn(['sync']).exited
}

/** Called after each row, so that the results are kept if a later row fails. */
async function writeReports(run: Run) {
  await mkdir(values.reports, { recursive: true })
  await Bun.write(join(values.reports, 'bench.json'), `${JSON.stringify(run, null, 2)}\n`)
  await Bun.write(join(values.reports, 'bench.md'), renderReport(run))
}

async function cleanUp() {
  await stopEverything()
  await harness.removeFiles()
}

async function settings(): Promise<Setting[]> {
  const commit = (
    await new Response(Bun.spawn(['git', 'describe', '--always', '--dirty'], { cwd: root }).stdout).text()
  ).trim()
  return [
    { name: 'Commit', value: commit || 'unknown' },
    { name: 'This server', value: build },
    {
      name: 'Machine',
      value: `${cpus().length} cores, ${cpus()[0]?.model.trim() ?? 'unknown'}, Linux ${release()}`,
    },
    { name: 'Bun', value: Bun.version },
    { name: 'Competitor runtime', value: Bun.which('node') ? 'Node' : 'Bun' },
    { name: 'Rounds', value: `${harness.size.rounds} of ${harness.size.seconds} s` },
  ]
}

function notes() {
  const command = `Written by \`bun run bench${values.quick ? ' --quick' : ''}${values.only ? ` --only ${values.only}` : ''}\`.`
  return values.quick
    ? [command, 'A quick run only shows that the benchmark works. It is too short for figures to quote.']
    : [command]
}
