// Runs all checks: `bun run test`. The last line is `N passed, N failed`, and the exit code is 1 if a check
// failed. `bun scripts/test.ts lint` runs only the named steps. One step more than the machine has processors runs
// at the same time, because steps also wait; the output of a step is printed when the step has ended.
import { mkdir, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import pLimit from 'p-limit'

interface Counts {
  passed: number
  failed: number
  skipped: number
}

interface Step {
  /** A script in package.json. */
  script: string
  args?: readonly string[]
  /** The source of the counts. Without it, the step counts as one check. */
  counts?: 'bun test' | 'closing line'
}

/** The longest steps come first, so that no processor is idle at the end. */
const steps: readonly Step[] = [
  { script: 'test:unit', counts: 'bun test' },
  { script: 'test:browser', counts: 'bun test' },
  { script: 'test:client', counts: 'bun test' },
  { script: 'test:cluster', args: ['--quick'], counts: 'closing line' },
  { script: 'test:bench', counts: 'bun test' },
  { script: 'test:contract', counts: 'closing line' },
  { script: 'test:monitoring', counts: 'bun test' },
  { script: 'test:storage', counts: 'bun test' },
  { script: 'test:faults', args: ['--quick'], counts: 'closing line' },
  { script: 'test:deploy', counts: 'bun test' },
  { script: 'test:binary', counts: 'bun test' },
  { script: 'test:examples', counts: 'bun test' },
  { script: 'typecheck' },
  { script: 'lint' },
  { script: 'generate', args: ['--check'] },
  { script: 'docs', args: ['--check'] },
  { script: 'spec:lint' },
  { script: 'spec:diff' },
]

// Much longer than any step takes. It only ends a step that hangs.
const stepTimeoutMs = 25 * 60_000
const reports = new URL('../reports/', import.meta.url).pathname

/** Reads the counts from a JUnit report of `bun test`. */
async function countsOfReport(path: string): Promise<Counts | undefined> {
  const file = Bun.file(path)
  if (!(await file.exists())) return undefined
  const [root] = /<testsuites [^>]*>/.exec(await file.text()) ?? ['']
  const attribute = (name: string) => Number(new RegExp(` ${name}="(\\d+)"`).exec(root)?.[1] ?? 0)
  const [failed, skipped] = [attribute('failures'), attribute('skipped')]
  return { passed: attribute('tests') - failed - skipped, failed, skipped }
}

/** Reads the counts from the last line of the form `N passed, N failed`. */
function countsOfClosingLine(text: string): Counts | undefined {
  const last = [...text.matchAll(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm)].at(-1)
  return last && { passed: Number(last[1]), failed: Number(last[2]), skipped: Number(last[3] ?? 0) }
}

/** Runs a step and returns its counts and everything it printed, in the order of printing. */
async function run({ script, args = [], counts: source }: Step): Promise<Counts & { text: string }> {
  const report = `${reports}${script.replace(':', '-')}.xml`
  await rm(report, { force: true })
  const reporter = source === 'bun test' ? ['--reporter=junit', `--reporter-outfile=${report}`] : []
  const child = Bun.spawn([process.execPath, 'run', script, ...args, ...reporter], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    timeout: stepTimeoutMs,
  })
  const pieces: Uint8Array[] = []
  const collect = async (stream: ReadableStream<Uint8Array>) => {
    for await (const piece of stream) pieces.push(piece)
  }
  await Promise.all([collect(child.stdout), collect(child.stderr)])
  const text = Buffer.concat(pieces).toString()
  const succeeded = (await child.exited) === 0
  if (!source) return { passed: succeeded ? 1 : 0, failed: succeeded ? 0 : 1, skipped: 0, text }

  const counts = source === 'bun test' ? await countsOfReport(report) : countsOfClosingLine(text)
  const { passed, failed, skipped } = counts ?? { passed: 0, failed: 0, skipped: 0 }
  // A step also fails if its process failed without a failed test, or if it ran no tests.
  const ranNone = passed + failed + skipped === 0
  return { passed, failed: failed || (!succeeded || ranNone ? 1 : 0), skipped, text }
}

/** Runs a step, prints its output and its outcome, and adds its counts to `total`. */
async function report(step: Step, total: Counts): Promise<string> {
  const command = ['bun run', step.script, ...(step.args ?? [])].join(' ')
  console.log(`Started  ${command}`)
  const startedMs = performance.now()
  const { passed, failed, skipped, text } = await run(step)
  total.passed += passed
  total.failed += failed
  total.skipped += skipped
  const outcome = failed > 0 ? 'FAILED' : 'passed'
  const skips = skipped > 0 ? `, ${skipped} skipped` : ''
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
  const line = `${outcome}  ${command}  (${passed} of ${passed + failed}${skips}, ${seconds} s)`
  console.log(`\n── ${command}\n${text}\n${line}\n`)
  return line
}

await mkdir(reports, { recursive: true })
const named = process.argv.slice(2)
const unknown = named.filter((name) => !steps.some(({ script }) => script === name))
if (unknown.length > 0) {
  console.error(
    `Unknown step: ${unknown.join(', ')}. The steps are ${steps.map(({ script }) => script).join(', ')}.`,
  )
  process.exit(1)
}

const total: Counts = { passed: 0, failed: 0, skipped: 0 }
const selected = steps.filter(({ script }) => named.length === 0 || named.includes(script))
const limit = pLimit(availableParallelism() + 1)
const outcomes = await Promise.all(selected.map((step) => limit(() => report(step, total))))

console.log(`\n${outcomes.join('\n')}\n`)
console.log(
  `${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`,
)
process.exit(total.failed > 0 ? 1 : 0)
