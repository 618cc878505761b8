/**
 * Runs the contract suite against BASE_URL, or against a service that it starts, and then judges the
 * record of all that was said: `bun run test:contract [--runs N] [files]`.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { contract } from './support/contract.ts'
import { coverageReport } from './support/report.ts'
import { startServer, stopServer } from './support/server.ts'
import { parseTraffic, record } from './support/traffic.ts'
import { judgeTraffic } from './support/verdict.ts'

const { values, positionals } = parseArgs({
  args: process.argv.slice(2),
  options: { runs: { type: 'string', default: '50' } },
  allowPositionals: true,
})
const root = join(import.meta.dir, '../..')
const reports = process.env.REPORTS_DIR ?? join(root, 'reports/contract')
mkdirSync(reports, { recursive: true })
// In a folder of its own, so that two runs at once do not write into one record.
const folder = mkdtempSync(join(tmpdir(), 'parley-contract-run-'))
const trafficFile = join(folder, 'traffic.jsonl')
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

const seed = process.env.SEED ?? String(Date.now() % 2 ** 31)
process.env.TRAFFIC_FILE = trafficFile

const own = process.env.BASE_URL ? undefined : await startServer('main')
if (!own) record({ kind: 'server', server: 'main', limits: 'unknown' })
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
const exitCode = await tests.exited
if (own) await stopServer(own)

copyFileSync(trafficFile, join(reports, 'traffic.jsonl'))
const verdict = judgeTraffic(contract, parseTraffic(readFileSync(trafficFile, 'utf8')))
const cells = [...verdict.cells.all.values()]
const uncovered = cells.filter((cell) => cell.seenOn.size === 0)
writeFileSync(join(reports, 'coverage.md'), coverageReport(verdict))
console.log(coverageReport(verdict))

const junit = readFileSync(join(folder, 'junit.xml'), 'utf8')
writeFileSync(join(reports, 'junit.xml'), junit)
const count = (name: string) => Number(new RegExp(`<testsuites[^>]* ${name}="([0-9]+)"`).exec(junit)?.[1])
const failedTests = count('failures')
const failed =
  failedTests + uncovered.length + verdict.findings.length + (exitCode !== 0 && failedTests === 0 ? 1 : 0)
console.log(
  `${count('tests') - failedTests - count('skipped') + cells.length - uncovered.length} passed, ${failed} failed`,
)
process.exit(failed === 0 ? 0 : 1)
