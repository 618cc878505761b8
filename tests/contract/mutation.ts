/**
 * Changes the documents one place at a time and asks whether the contract suite notices, against the
 * unchanged service: `bun run test:mutation`. A mutant is first tried on the record of one run of the
 * suite; what that cannot tell is run for real. See tests/contract/README.md.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createContract } from './support/contract.ts'
import { DOCUMENT_NAMES, type Documents, readDocuments } from './support/documents.ts'
import { type Mutant, mutantsOf } from './support/mutants.ts'
import { parseTraffic, type TrafficEvent } from './support/traffic.ts'
import { judgeTraffic, type Verdict } from './support/verdict.ts'

const root = join(import.meta.dir, '../..')
const documents = readDocuments(join(root, 'spec'))
const folder = mkdtempSync(join(tmpdir(), 'parley-mutation-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
/** The files of the suite that send what a changed document changes. */
const filesFor = (id: string) =>
  (id.includes('/examples/') ? ['examples'] : ['refusals', 'constraints']).map(
    (name) => `tests/contract/${name}.test.ts`,
  )

console.log('Recording one run of the suite')
await runSuite(join(root, 'spec'), join(folder, 'baseline'), [])
// The flood that cuts off a slow reader is one message seven hundred times.
const isFlood = (event: TrafficEvent) =>
  'text' in event && event.text.length > 10_000 && event.server !== 'main'
const traffic = readTraffic('baseline').filter((event) => !isFlood(event))
const baseline = judgeTraffic(createContract(documents), traffic)
const known = new Set([...baseline.findings, ...uncovered(baseline, true)])
if (known.size > 0)
  console.log(`The unchanged documents already have ${known.size} findings; they kill nothing.`)

const mutants = [...mutantsOf(documents)]
const undecided: Mutant[] = []
let byRecord = 0
for (const mutant of mutants) {
  if (noticed(mutant.documents())) byRecord++
  else undecided.push(mutant)
}
console.log(
  `${byRecord} of ${mutants.length} mutants are noticed in the record; ${undecided.length} need a run`,
)

const listed = Bun.YAML.parse(readFileSync(join(root, 'tests/contract/equivalent-mutants.yaml'), 'utf8')) as {
  mutant: string
  reason: string
}[]
const survivors: string[] = []
let byRun = 0
let equivalent = 0
for (const mutant of undecided) {
  if (listed.some((one) => matches(one.mutant, mutant.id))) equivalent++
  else if (await noticedLive(mutant)) byRun++
  else survivors.push(mutant.id)
}

const unused = listed.filter((one) => !undecided.some((mutant) => matches(one.mutant, mutant.id)))
for (const id of survivors) console.log(`survived: ${id}`)
for (const one of unused) console.log(`listed as equivalent, but noticed: ${one.mutant}`)
console.log(
  `${mutants.length} mutants: ${byRecord} noticed in the record, ${byRun} in a run, ${equivalent} equivalent, ${survivors.length} survived`,
)
mkdirSync(join(root, 'reports/contract'), { recursive: true })
writeFileSync(join(root, 'reports/contract/survivors.txt'), `${survivors.join('\n')}\n`)
console.log(`${mutants.length - survivors.length} passed, ${survivors.length + unused.length} failed`)
process.exit(survivors.length + unused.length === 0 ? 0 : 1)

/** A listed mutant may name a whole family with `*`. */
function matches(pattern: string, id: string): boolean {
  const escaped = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${escaped.join('.*')}$`).test(id)
}

function noticed(changed: Documents): boolean {
  try {
    return isNew(judgeTraffic(createContract(changed), traffic, known), false)
  } catch {
    // A document that cannot be read any more is noticed by everyone.
    return true
  }
}

function isNew(verdict: Verdict, all: boolean): boolean {
  return [...verdict.findings, ...uncovered(verdict, all)].some((finding) => !known.has(finding))
}

/** What nothing showed. A cell that waits for an input that nobody sent may yet be shown by a run. */
function uncovered({ cells, inputs }: Verdict, all: boolean): string[] {
  return [...cells.all.values()]
    .filter((cell) => cell.seenOn.size === 0 && (all || cell.input === undefined || inputs.has(cell.input)))
    .map((cell) => `nothing showed ${cell.table} ${cell.columns.join(' × ')}`)
}

function readTraffic(name: string): TrafficEvent[] {
  return parseTraffic(readFileSync(join(folder, name, 'traffic.jsonl'), 'utf8'))
}

async function noticedLive(mutant: Mutant): Promise<boolean> {
  const changed = mutant.documents()
  const spec = join(folder, 'spec')
  mkdirSync(spec, { recursive: true })
  for (const name of DOCUMENT_NAMES) writeFileSync(join(spec, name), JSON.stringify(changed[name]))
  await runSuite(spec, join(folder, 'mutant'), filesFor(mutant.id))
  const live = readTraffic('mutant').map((event) => {
    return {
      ...event,
      server: `live ${event.server}`,
      ...('socket' in event && { socket: `live ${event.socket}` }),
    }
  })
  return isNew(judgeTraffic(createContract(changed), [...traffic, ...(live as TrafficEvent[])], known), true)
}

async function runSuite(spec: string, reports: string, files: string[]): Promise<void> {
  const child = Bun.spawn([process.execPath, join(root, 'tests/contract/run.ts'), '--runs', '10', ...files], {
    cwd: root,
    env: { ...process.env, SPEC_DIR: spec, REPORTS_DIR: reports, SEED: '1' },
    stdout: 'ignore',
    stderr: 'ignore',
  })
  await child.exited
}
