/**
 * Runs the fault scenarios and prints a table of their results:
 * `bun run test:faults [--quick] [--seed N] [--only TITLE]`.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { skipsDiskFaults } from '../fixtures/flushes.ts'
import { createRandom } from './random.ts'
import type { Result, Scenario } from './scenario.ts'
import { damagedFile } from './scenarios/damaged-file.ts'
import { fullDisk } from './scenarios/full-disk.ts'
import { killedWhileRoomsChange } from './scenarios/killed-while-rooms-change.ts'
import { killedOnSlowDisk, killedWhileSending } from './scenarios/killed-while-sending.ts'
import { killedWhileStarting } from './scenarios/killed-while-starting.ts'
import { lockedDatabase } from './scenarios/locked-database.ts'
import { readerThatStopsReading } from './scenarios/reader-that-stops-reading.ts'
import { resumingAtRandom } from './scenarios/resuming-at-random.ts'
import { stoppedUnderLoad } from './scenarios/stopped-under-load.ts'
import { killProcesses } from './server.ts'

const scenarios: Scenario[] = [
  killedWhileSending,
  ...(skipsDiskFaults ? [] : [killedOnSlowDisk]),
  killedWhileRoomsChange,
  killedWhileStarting,
  resumingAtRandom,
  readerThatStopsReading,
  fullDisk,
  lockedDatabase,
  stoppedUnderLoad,
  damagedFile,
]

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    seed: { type: 'string' },
    only: { type: 'string', default: '' },
  },
})
const seed = options.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(options.seed)
if (!Number.isSafeInteger(seed)) throw new Error('--seed has to be an integer')
const chosen = scenarios.filter(({ title }) => title.includes(options.only))
if (chosen.length === 0) throw new Error(`there is no scenario with "${options.only}" in its title`)

const folders = new Set<string>()
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, async () => {
    await killProcesses()
    process.exit(1)
  })
}

const columns = ['rounds', 'acknowledged', 'lost', 'duplicated', 'reordered'] as const
const titleWidth = Math.max(...scenarios.map(({ title }) => title.length))

console.log(`Faults, seed ${seed} (repeat with --seed ${seed})\n`)
console.log(['scenario'.padEnd(titleWidth), ...columns].join('  '))

let failed = 0
for (const scenario of chosen) {
  const rounds = options.quick ? scenario.quickRounds : scenario.rounds
  const result = await runScenario(scenario, rounds)
  const values = columns.map((name) => String({ rounds, ...result }[name]).padStart(name.length))
  console.log([scenario.title.padEnd(titleWidth), ...values].join('  '))
  if (result.remark) console.log(`  ${result.remark}`)
  for (const finding of result.findings) console.log(`  FAILED: ${finding}`)
  if (result.lost + result.duplicated + result.reordered + result.findings.length > 0) failed++
}
console.log(`\n${chosen.length - failed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)

/** Each scenario starts with its own random source, so that `--only` reproduces the values of a full run. */
async function runScenario(scenario: Scenario, rounds: number): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'parley-faults-'))
  folders.add(folder)
  try {
    return await scenario.run({ folder, rounds, random: createRandom(seed) })
  } catch (error) {
    const findings = [error instanceof Error ? error.message : String(error)]
    return { acknowledged: 0, lost: 0, duplicated: 0, reordered: 0, findings }
  } finally {
    await killProcesses()
    rmSync(folder, { recursive: true, force: true })
    folders.delete(folder)
  }
}
