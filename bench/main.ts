// `bun run bench` measures Parley, the baselines and the competitors in one run. It prints a report and also writes
// it to a folder, as Markdown and as JSON. `bun run bench:keep` adds such a JSON file to docs/benchmark,
// and `bun run docs` renders the newest one into the documentation.

import { readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { cpus, release } from 'node:os'
import { join } from 'node:path'
import { readArguments } from './command-line.ts'
import { type Harness, openHarness, type Size, sizes } from './harness.ts'
import { loadProcessor } from './load-processor.ts'
import { measureNoise, observeProcessors } from './noise.ts'
import { buildParley, root } from './parley.ts'
import { stopEverything } from './processes.ts'
import { type Run, renderReport, requireMeasured, type Setting } from './report.ts'
import { competitors } from './rows/competitors.ts'
import { fanOut } from './rows/fan-out.ts'
import { growth } from './rows/growth.ts'
import { idle } from './rows/idle.ts'
import { login } from './rows/login.ts'
import { metrics } from './rows/metrics.ts'
import { nodes } from './rows/nodes.ts'
import { profile } from './rows/profile.ts'
import { resume } from './rows/resume.ts'
import { rooms } from './rows/rooms.ts'
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
  rooms,
  idle,
  start,
  growth,
  nodes,
  competitors,
}

const usage = `bun run bench [options]

  --quick          Only show that each part works.
  --full           Use the largest amounts of data.
  --only ROWS      Measure some rows, separated by commas: ${Object.keys(rows).join(', ')}.
  --reports DIR    Write the report to this folder instead of reports/.`

const { values } = readArguments(usage, {
  options: {
    quick: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
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

const kind = values.quick ? 'quick' : values.full ? 'full' : 'standard'
const { command, name: build } = await buildParley()
const size = await fitFileLimit(sizes[kind])
const harness = await openHarness(size, command)
// Also clean up when the run is interrupted.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void cleanUp().then(() => process.exit(130)))

try {
  // The commit that was built, even if the working copy changes during the run.
  const setup = await settings()
  const idle = observeProcessors()
  await Bun.sleep(harness.size.settleSeconds * 1_000)
  const otherWork = idle().busy
  const observed = observeProcessors()
  console.error('Measuring the noise of the machine …')
  const conditions = {
    noise: { before: await measureNoise(harness), after: [] as number[] },
    otherWork,
    stolen: 0,
  }
  const run: Run = { notes: notes(), settings: setup, conditions, results: [] }
  for (const name of selected) {
    console.error(`Measuring ${name} …`)
    await flushDisk()
    const results = (await rows[name]?.(harness)) ?? []
    requireMeasured(results)
    run.results.push(...results)
    conditions.stolen = observed().stolen
    await writeReports(run)
  }
  console.error('Measuring the noise of the machine again …')
  conditions.noise.after = await measureNoise(harness)
  await writeReports(run)
  await writeCharts(run)
  console.log(renderReport(run))
} catch (error) {
  console.error(error instanceof MissingTool ? error.message : error)
  process.exitCode = 1
} finally {
  await cleanUp()
}

/**
 * Raises the limit of open files for this process and its children, because a server with 20,000 sockets needs as many
 * files. Only root may exceed the hard limit; otherwise, the number of sockets is reduced.
 */
async function fitFileLimit(size: Size): Promise<Size> {
  const reserve = 1_000
  const needed = Math.max(...size.growthSockets) + reserve
  if (fileLimit() < needed) {
    const limit = `--nofile=${needed}:${needed}`
    await Bun.spawn(['prlimit', '--pid', `${process.pid}`, limit], { stdio: ['ignore', 'ignore', 'ignore'] })
      .exited
  }
  const most = fileLimit() - reserve
  return { ...size, growthSockets: size.growthSockets.map((count) => Math.min(count, most)) }
}

/** The hard limit, to which Bun raises its own soft limit. */
function fileLimit(): number {
  const limit = /^Max open files\s+\S+\s+(\d+|unlimited)/m.exec(
    readFileSync('/proc/self/limits', 'utf8'),
  )?.[1]
  return limit === undefined || limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit)
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

async function writeCharts(run: Run) {
  const { renderCharts } = await import('./charts.ts')
  for (const { file, svg } of await renderCharts(run)) await Bun.write(join(values.reports, file), svg)
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
    { name: 'Date', value: new Date().toISOString() },
    { name: 'Commit', value: commit || 'unknown' },
    { name: 'This server', value: build },
    {
      name: 'Machine',
      value: `${cpus().length} cores, ${cpus()[0]?.model.trim() ?? 'unknown'}, Linux ${release()}`,
    },
    { name: 'Bun', value: Bun.version },
    { name: 'Competitor runtime', value: Bun.which('node') ? 'Node' : 'Bun' },
    {
      name: 'Load generators',
      value: loadProcessor === undefined ? 'on any processor' : `on processor ${loadProcessor}`,
    },
    {
      name: 'Rounds',
      value: `${harness.size.rounds} of ${harness.size.seconds} s, ${harness.size.slowRounds} of slow rows`,
    },
  ]
}

function notes() {
  const command = `Written by \`bun run bench${kind === 'standard' ? '' : ` --${kind}`}${values.only ? ` --only ${values.only}` : ''}\`.`
  return values.quick
    ? [command, 'A quick run only shows that the benchmark works. It is too short for figures to quote.']
    : [command]
}
