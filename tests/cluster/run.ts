/**
 * Runs three nodes on one PostgreSQL server, lets faults happen, and prints a table of the results:
 * `bun run test:cluster [--quick] [--seed N] [--only TITLE]`.
 */
import { parseArgs } from 'node:util'
import { createRandom } from '../faults/random.ts'
import { killProcesses } from '../faults/server.ts'
import { skipsPostgres, startPostgres } from '../fixtures/postgres-server.ts'
import { skipsRedis } from '../fixtures/redis-server.ts'
import { skipsCaddy } from './caddy.ts'
import type { LoadVerdict } from './load.ts'
import type { Scenario } from './scenario.ts'
import { rollingRestart } from './scenarios/behind-caddy.ts'
import { clientLibrary } from './scenarios/client.ts'
import { contractSuite, contractSuiteBehindCaddy } from './scenarios/contract-suite.ts'
import { faults } from './scenarios/faults.ts'
import { limits } from './scenarios/limits.ts'
import { redisFaults } from './scenarios/redis-faults.ts'
import { revokedToken } from './scenarios/revoked-token.ts'
import { roomsOnSeveralNodes } from './scenarios/rooms.ts'
import { sameKey } from './scenarios/same-key.ts'

/** These need Caddy, which may be missing. */
const behindCaddy = skipsCaddy ? [] : [rollingRestart, contractSuiteBehindCaddy]
const scenarios: readonly Scenario[] = [
  ...faults,
  ...redisFaults,
  sameKey,
  revokedToken,
  roomsOnSeveralNodes,
  limits,
  clientLibrary,
  ...behindCaddy,
  contractSuite,
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
const named = scenarios.filter(({ title }) => title.includes(options.only))
const selected = named.filter(({ quickRounds }) => !options.quick || quickRounds > 0)
if (selected.length === 0) throw new Error(`there is no scenario with "${options.only}" in its title`)
if (skipsCaddy) console.log('Skipped: the scenarios behind Caddy')
if (skipsPostgres) {
  console.log(`0 passed, 0 failed, ${selected.length} skipped`)
  process.exit(0)
}
const chosen = selected.filter(({ needsRedis }) => !(needsRedis && skipsRedis))
const skipped = selected.length - chosen.length

const postgres = await startPostgres()
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, async () => {
    await killProcesses()
    await postgres[Symbol.asyncDispose]()
    process.exit(1)
  })
}

const columns = ['rounds', 'acknowledged', 'lost', 'duplicated', 'reordered', 'delay ms'] as const
const titleWidth = Math.max(...scenarios.map(({ title }) => title.length))

console.log(`Cluster of three nodes, seed ${seed} (repeat with --seed ${seed})\n`)
console.log(['scenario'.padEnd(titleWidth), ...columns].join('  '))

/** Runs the rounds of a scenario and adds up their results. */
async function runRounds({ run }: Scenario, rounds: number): Promise<LoadVerdict> {
  const total: LoadVerdict = {
    acknowledged: 0,
    lost: 0,
    duplicated: 0,
    reordered: 0,
    findings: [],
    longestDelayMs: 0,
  }
  // Each scenario starts with its own random source, so that `--only` reproduces the values of a full run.
  const random = createRandom(seed)
  for (let round = 0; round < rounds; round++) {
    try {
      const result = await run({ postgres, random })
      total.acknowledged += result.acknowledged
      total.lost += result.lost
      total.duplicated += result.duplicated
      total.reordered += result.reordered
      total.findings.push(...result.findings)
      total.longestDelayMs = Math.max(total.longestDelayMs, result.longestDelayMs)
    } catch (error) {
      total.findings.push(error instanceof Error ? error.message : String(error))
    } finally {
      await killProcesses()
    }
  }
  return total
}

let failed = 0
for (const scenario of chosen) {
  const rounds = options.quick ? scenario.quickRounds : scenario.rounds
  const { findings, longestDelayMs, ...counts } = await runRounds(scenario, rounds)
  const row = { rounds, ...counts, 'delay ms': Math.round(longestDelayMs) }
  const values = columns.map((name) => String(row[name]).padStart(name.length))
  console.log([scenario.title.padEnd(titleWidth), ...values].join('  '))
  for (const finding of findings.slice(0, 10)) console.log(`  FAILED: ${finding}`)
  if (counts.lost + counts.duplicated + counts.reordered + findings.length > 0) failed++
}
await postgres[Symbol.asyncDispose]()
for (const { title } of named) {
  if (!selected.some((each) => each.title === title)) console.log(`Not in --quick: ${title}`)
}
console.log(
  `\n${chosen.length - failed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`,
)
process.exit(failed === 0 ? 0 : 1)
