// What `bun run test` runs: every check there is, one after the other. It ends with one line,
// `N passed, N failed`, and with exit code 1 where anything failed. `bun scripts/test.ts lint` runs
// only the steps that it names.
import { mkdir, rm } from 'node:fs/promises'

interface Counts {
  passed: number
  failed: number
  skipped: number
}

interface Step {
  /** A script of package.json, and what it is given. */
  script: string
  args?: readonly string[]
  /** Where its counts come from; a step that does not count is one check. */
  counts?: 'bun test' | 'closing line'
}

const steps: readonly Step[] = [
  { script: 'generate', args: ['--check'] },
  { script: 'docs', args: ['--check'] },
  { script: 'lint' },
  { script: 'typecheck' },
  { script: 'spec:lint' },
  { script: 'spec:diff' },
  { script: 'test:unit', counts: 'bun test' },
  { script: 'test:storage', counts: 'bun test' },
  { script: 'test:binary', counts: 'bun test' },
  { script: 'test:examples', counts: 'bun test' },
  { script: 'test:browser', counts: 'bun test' },
  { script: 'test:contract', counts: 'closing line' },
  { script: 'test:faults', args: ['--quick'], counts: 'closing line' },
  { script: 'test:bench', counts: 'bun test' },
]

// Far beyond what any step needs: so that one that hangs ends, and is named.
const stepTimeoutMs = 15 * 60_000
const reports = new URL('../reports/', import.meta.url).pathname

/** The counts of a report that `bun test` has written. */
async function countsOfReport(path: string): Promise<Counts | undefined> {
  const file = Bun.file(path)
  if (!(await file.exists())) return undefined
  const [root] = /<testsuites [^>]*>/.exec(await file.text()) ?? ['']
  const attribute = (name: string) => Number(new RegExp(` ${name}="(\\d+)"`).exec(root)?.[1] ?? 0)
  const [failed, skipped] = [attribute('failures'), attribute('skipped')]
  return { passed: attribute('tests') - failed - skipped, failed, skipped }
}

/** The counts of the last line of the form `N passed, N failed`. */
function countsOfClosingLine(text: string): Counts | undefined {
  const last = [...text.matchAll(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm)].at(-1)
  return last && { passed: Number(last[1]), failed: Number(last[2]), skipped: Number(last[3] ?? 0) }
}

/** Passes on what comes, and keeps it. */
async function tee(stream: ReadableStream<Uint8Array>): Promise<string> {
  const [shown, kept] = stream.tee()
  const shows = shown.pipeTo(
    new WritableStream({
      write(chunk) {
        process.stdout.write(chunk)
      },
    }),
  )
  const text = await new Response(kept).text()
  await shows
  return text
}

async function run({ script, args = [], counts: source }: Step): Promise<Counts> {
  const report = `${reports}${script.replace(':', '-')}.xml`
  await rm(report, { force: true })
  const reporter = source === 'bun test' ? ['--reporter=junit', `--reporter-outfile=${report}`] : []
  const child = Bun.spawn([process.execPath, 'run', script, ...args, ...reporter], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'inherit',
    timeout: stepTimeoutMs,
  })
  const text = await tee(child.stdout)
  const succeeded = (await child.exited) === 0
  if (!source) return { passed: succeeded ? 1 : 0, failed: succeeded ? 0 : 1, skipped: 0 }

  const counts = source === 'bun test' ? await countsOfReport(report) : countsOfClosingLine(text)
  const { passed, failed, skipped } = counts ?? { passed: 0, failed: 0, skipped: 0 }
  // A step that failed beside its tests, or that ran none, is a failure too.
  const ranNone = passed + failed + skipped === 0
  return { passed, failed: failed || (!succeeded || ranNone ? 1 : 0), skipped }
}

await mkdir(reports, { recursive: true })
const named = process.argv.slice(2)
const unknown = named.filter((name) => !steps.some(({ script }) => script === name))
if (unknown.length > 0) {
  console.error(
    `There is no step ${unknown.join(', ')}. There are ${steps.map(({ script }) => script).join(', ')}.`,
  )
  process.exit(1)
}

const sum: Counts = { passed: 0, failed: 0, skipped: 0 }
const outcomes: string[] = []
for (const step of steps) {
  if (named.length > 0 && !named.includes(step.script)) continue
  const command = ['bun run', step.script, ...(step.args ?? [])].join(' ')
  console.log(`\n── ${command}`)
  const startedMs = performance.now()
  const { passed, failed, skipped } = await run(step)
  sum.passed += passed
  sum.failed += failed
  sum.skipped += skipped
  const outcome = failed > 0 ? 'FAILED' : 'passed'
  const skips = skipped > 0 ? `, ${skipped} skipped` : ''
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
  outcomes.push(`${outcome}  ${command}  (${passed} of ${passed + failed}${skips}, ${seconds} s)`)
  console.log(outcomes.at(-1))
}

console.log(`\n${outcomes.join('\n')}\n`)
console.log(`${sum.passed} passed, ${sum.failed} failed${sum.skipped > 0 ? `, ${sum.skipped} skipped` : ''}`)
process.exit(sum.failed > 0 ? 1 : 0)
