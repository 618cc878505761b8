/**
 * Runs the contract suite and then checks the recorded traffic of all tests for coverage:
 * `bun run test:contract [--runs N] [files]`. The suite runs against the service at BASE_URL, or
 * against a service that this driver starts.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { contract } from './support/contract.ts'
import { createReport, renderReport, uncoveredItems } from './support/report.ts'
import { startServer, stopServer } from './support/server.ts'
import { parseTraffic, recordTraffic } from './support/traffic.ts'

const { values, positionals } = parseArgs({
  args: process.argv.slice(2),
  options: { runs: { type: 'string', default: '50' } },
  allowPositionals: true,
})
const root = join(import.meta.dir, '../..')
const reports = process.env.REPORTS_DIR ?? join(root, 'reports/contract')
mkdirSync(reports, { recursive: true })
// Each run has its own folder, so that concurrent runs do not share a traffic file.
const folder = mkdtempSync(join(tmpdir(), 'parley-contract-run-'))
const trafficFile = join(folder, 'traffic.jsonl')
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

const seed = process.env.SEED ?? String(Date.now() % 2 ** 31)
process.env.TRAFFIC_FILE = trafficFile

const own = process.env.BASE_URL ? undefined : await startServer('main')
if (!own) recordTraffic({ kind: 'server', server: 'main', limits: 'unknown' })
console.log(`fast-check: seed ${seed}, ${values.runs} runs`)

const tests = Bun.spawn(
  [
    process.execPath,
    'test',
    '--timeout=60000',
    '--reporter=junit',
    `--reporter-outfile=${join(folder, 'junit.xml')}`,
    ...(positionals.length > 0 ? positionals : ['tests/contract']),
  ],
  {
    cwd: root,
    env: {
      ...process.env,
      BASE_URL: own?.url ?? process.env.BASE_URL,
      TRAFFIC_FILE: trafficFile,
      SEED: seed,
      RUNS: values.runs,
    },
    stdout: 'inherit',
    stderr: 'inherit',
  },
)
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, async () => {
    tests.kill(signal)
    await tests.exited
    if (own) await stopServer(own)
    process.exit(1)
  })
}
const exitCode = await tests.exited
if (own) await stopServer(own)

copyFileSync(trafficFile, join(reports, 'traffic.jsonl'))
const report = createReport(contract, parseTraffic(readFileSync(trafficFile, 'utf8')))
const uncovered = uncoveredItems(report)
writeFileSync(join(reports, 'coverage.md'), renderReport(report))
console.log(renderReport(report))

const junit = readFileSync(join(folder, 'junit.xml'), 'utf8')
writeFileSync(join(reports, 'junit.xml'), junit)
const count = (name: string) => Number(new RegExp(`<testsuites[^>]* ${name}="([0-9]+)"`).exec(junit)?.[1])
const failedTests = count('failures')
const passedTests = count('tests') - failedTests - count('skipped')
// A test run that failed without a failed test, for example while loading a file, counts as one failure.
const failedRun = exitCode !== 0 && failedTests === 0 ? 1 : 0
const passed = passedTests + report.coverage.items.size - uncovered.length
const failed = failedTests + uncovered.length + report.findings.length + failedRun
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
