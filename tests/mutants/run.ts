/**
 * Changes the source code in one place at a time, each change breaking one promise of the service, and checks
 * that a test fails: `bun run test:mutants [--only id]`. The changes are in list.ts. It fails if fewer than
 * 95 % of the mutants are detected, or if a change does not apply any more.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Mutant, mutants, mutate } from './list.ts'

const root = join(import.meta.dir, '../..')
/** What the tests need; node_modules is linked. */
const copied = [
  'src',
  'spec',
  'tests',
  'examples',
  'scripts',
  'docs',
  'client',
  'package.json',
  'tsconfig.json',
  'bunfig.toml',
]
const copiedFiles = [
  'README.md',
  'SECURITY.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'Dockerfile',
  'biome.json',
  '.env.example',
]
const timeoutMs = 120_000
const requiredShare = 0.95

const { values } = parseArgs({
  options: { only: { type: 'string' }, jobs: { type: 'string', default: String(availableParallelism()) } },
})
const chosen = mutants.filter(({ id }) => values.only === undefined || id.includes(values.only))
if (chosen.length === 0) throw new Error(`No mutant has "${values.only}" in its id`)

const folders: string[] = []
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))

/** Copies the project, so that several mutants can be tested at once. */
function copyProject(): string {
  const folder = mkdtempSync(join(tmpdir(), 'parley-mutants-'))
  folders.push(folder)
  for (const name of [...copied, ...copiedFiles]) {
    cpSync(join(root, name), join(folder, name), {
      recursive: true,
      filter: (source) => !source.includes('node_modules'),
    })
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

/** Whether the tests pass. A test run that hangs is ended, and counts as failed. */
async function testsPass(folder: string, tests: readonly string[]): Promise<boolean> {
  // In its own process group, which is ended with everything that the tests started.
  const child = Bun.spawn(
    ['setsid', '--wait', process.execPath, 'test', '--timeout=20000', '--bail', ...tests],
    { cwd: folder, stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' },
  )
  const timer = setTimeout(() => {
    Bun.spawnSync(['pkill', '-KILL', '--session', String(sessionOf(child.pid))])
    child.kill('SIGKILL')
  }, timeoutMs)
  const exitCode = await child.exited
  clearTimeout(timer)
  return exitCode === 0
}

/** The session that `setsid` started: the process id of its child, or its own if it did not fork. */
function sessionOf(pid: number): number {
  const children = Bun.spawnSync(['pgrep', '--parent', String(pid)])
    .stdout.toString()
    .trim()
  return Number(children.split('\n')[0] || pid)
}

function apply(mutant: Mutant, folder: string): () => void {
  const path = join(folder, mutant.file)
  const source = readFileSync(path, 'utf8')
  writeFileSync(path, mutate(mutant, source))
  return () => writeFileSync(path, source)
}

const survivors: string[] = []
const queue = [...chosen]

async function work(): Promise<void> {
  const folder = copyProject()
  for (let mutant = queue.shift(); mutant; mutant = queue.shift()) {
    const restore = apply(mutant, folder)
    const survived = await testsPass(folder, mutant.tests)
    restore()
    if (survived) survivors.push(mutant.id)
    console.log(`${survived ? 'SURVIVED' : 'detected'}  ${mutant.id}: ${mutant.breaks}`)
  }
}

// A mutant proves nothing if its tests also fail without it.
const baseline = copyProject()
const allTests = [...new Set(chosen.flatMap(({ tests }) => tests))]
for (const test of allTests) {
  if (await testsPass(baseline, [test])) continue
  console.error(`${test} fails without a mutant`)
  process.exit(1)
}
console.log(`${allTests.length} test files pass without a mutant`)
await Promise.all(Array.from({ length: Number(values.jobs) }, work))

const detected = chosen.length - survivors.length
const enough = detected >= chosen.length * requiredShare
console.log(`\n${chosen.length} mutants, ${detected} detected (required: ${requiredShare * 100} %)`)
for (const id of survivors) console.log(`survived: ${id}`)
console.log(`${detected} passed, ${enough ? 0 : survivors.length} failed`)
process.exit(enough ? 0 : 1)
