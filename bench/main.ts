// `bun run bench`: measures this server against a bare `Bun.serve` and against Express with Socket.IO, all in
// one run, and writes the table to standard output, and beside it as JSON to a folder. docs/benchmark.json is
// such a file; `bun run docs` puts it into words.

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
import { profile } from './rows/profile.ts'
import { resume } from './rows/resume.ts'
import { send } from './rows/send.ts'
import { start } from './rows/start.ts'
import { MissingTool } from './wrk.ts'

const rows: Record<string, (harness: Harness) => Promise<Run['results']>> = {
  profile,
  send,
  login,
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
const chosen = values.only?.split(',') ?? Object.keys(rows)
const unknown = chosen.filter((name) => !rows[name])
if (unknown.length > 0) {
  console.error(`There is no row ${unknown.join(', ')}; there are ${Object.keys(rows).join(', ')}`)
  process.exit(2)
}

const kind = values.quick ? 'quick' : 'full'
const { command, name: build } = await buildParley()
const harness = await openHarness(sizes[kind], command)
// A stop by hand leaves no process and no file behind either.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void finish().then(() => process.exit(130)))

try {
  const run: Run = { notes: notes(), settings: await settings(), results: [] }
  for (const name of chosen) {
    console.error(`Measuring ${name} …`)
    await settleDisk()
    run.results.push(...((await rows[name]?.(harness)) ?? []))
    await keep(run)
  }
  console.log(renderReport(run))
} catch (error) {
  console.error(error instanceof MissingTool ? error.message : error)
  process.exitCode = 1
} finally {
  await finish()
}

/** What an earlier row has left to be written would slow the commits of this one. */
function settleDisk() {
  return Bun.spawn(['sync']).exited
}

/** After each row, so that one that fails does not take the others with it. */
async function keep(run: Run) {
  await mkdir(values.reports, { recursive: true })
  await Bun.write(join(values.reports, 'bench.json'), `${JSON.stringify(run, null, 2)}\n`)
  await Bun.write(join(values.reports, 'bench.md'), renderReport(run))
}

async function finish() {
  await stopEverything()
  await harness.clear()
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
  const run = `Written by \`bun run bench${values.quick ? ' --quick' : ''}${values.only ? ` --only ${values.only}` : ''}\`.`
  return values.quick
    ? [run, 'A quick run shows that everything works; its figures are too short to quote.']
    : [run]
}
