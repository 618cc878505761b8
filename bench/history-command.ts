// `bun run bench:compare [FILE]` compares a run, by default reports/bench.json, with the newest kept run of the same
// machine, and fails if a result is worse by 5 % or more. `bun run bench:keep [FILE]` adds it to docs/benchmark.

import { join } from 'node:path'
import { readArguments } from './command-line.ts'
import { reasonsNotToQuote } from './conditions.ts'
import { compare, comparisonRow, keep, readHistory, settingOf } from './history.ts'
import { type Run, table } from './report.ts'

const usage = `bun run bench:compare [FILE] [--with FILE]

  Compares a run, by default reports/bench.json, with the newest kept run of the same machine, or with another one.

bun run bench:keep [FILE] [--anyway]

  Adds a run to docs/benchmark. --anyway adds it even if it is partial or must not be quoted.`

const { values, positionals } = readArguments(usage, {
  allowPositionals: true,
  options: {
    /** The run to compare with, instead of the newest kept one. */
    with: { type: 'string' },
    /** Keeps a run that is partial or that must not be quoted. */
    anyway: { type: 'boolean', default: false },
  },
})
const [command, file = join(import.meta.dir, '..', 'reports', 'bench.json')] = positionals
const run = (await Bun.file(file).json()) as Run

if (command === 'compare') process.exitCode = await printComparison()
else if (command === 'keep') process.exitCode = await keepRun()
else throw new Error('The commands are compare and keep')

async function printComparison(): Promise<number> {
  const reference = values.with
    ? { name: values.with, run: (await Bun.file(values.with).json()) as Run }
    : (await readHistory()).findLast(
        ({ run: kept }) => settingOf(kept, 'Machine') === settingOf(run, 'Machine'),
      )
  if (!reference) {
    console.error('No kept run is of this machine. Name another one with --with FILE.')
    return 2
  }
  const comparisons = compare(reference.run, run)
  console.log(`Compared with ${reference.name}:\n`)
  console.log(
    table(['Workload', 'Measure', 'Before', 'After', 'Change', 'Judgement'], comparisons.map(comparisonRow)),
  )
  for (const [name, { conditions }] of [
    ['this run', run],
    [reference.name, reference.run],
  ] as const) {
    const reasons = reasonsNotToQuote(conditions)
    if (reasons.length > 0) console.log(`\nDo not rely on ${name}. ${reasons.join(' ')}`)
  }
  const worse = comparisons.filter(({ judgement }) => judgement === 'worse').length
  console.log(`\n${comparisons.length} results compared, ${worse} worse.`)
  return worse > 0 ? 1 : 0
}

async function keepRun(): Promise<number> {
  const reasons = [
    ...reasonsNotToQuote(run.conditions),
    ...(run.notes.some((note) => /--(quick|full|only)/.test(note))
      ? ['It does not have all rows in the standard size.']
      : []),
  ]
  if (reasons.length > 0 && !values.anyway) {
    console.error(`The run is not kept. ${reasons.join(' ')}\nUse --anyway to keep it with this warning.`)
    return 1
  }
  console.log(`Kept as ${await keep(run)}. Now run \`bun run docs\`.`)
  return 0
}
