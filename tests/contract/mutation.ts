/**
 * Mutation testing of the contract suite: `bun run test:mutation`. Each mutant changes one place in the
 * documents, and the suite has to detect the difference from the unchanged service. A mutant is first
 * checked against the recorded traffic of one run. If that does not detect it, the tests run again with
 * the changed documents. See tests/contract/README.md.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createContract } from './support/contract.ts'
import { DOCUMENT_NAMES, type Documents, readDocuments } from './support/documents.ts'
import { type Mutant, mutantsOf } from './support/mutants.ts'
import { createReport, type Report, uncoveredItems } from './support/report.ts'
import { parseTraffic, type TrafficEvent } from './support/traffic.ts'

const root = join(import.meta.dir, '../..')
const documents = readDocuments(join(root, 'spec'))
const folder = mkdtempSync(join(tmpdir(), 'parley-mutation-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
/** The test files whose requests depend on the changed place. */
const filesFor = (id: string) =>
  (id.includes('/examples/') ? ['examples'] : ['rejections', 'constraints']).map(
    (name) => `tests/contract/${name}.test.ts`,
  )

console.log('Recording one run of the suite')
await runSuite(join(root, 'spec'), join(folder, 'baseline'), [])
// The slow-reader test sends one large message 700 times. Skip it: checking it is slow and adds nothing.
const isFlood = (event: TrafficEvent) =>
  'text' in event && event.text.length > 10_000 && event.server !== 'main'
const traffic = readTraffic('baseline').filter((event) => !isFlood(event))
const baseline = createReport(createContract(documents), traffic)
const known = new Set([...baseline.findings, ...uncoveredFindings(baseline, true)])
if (known.size > 0)
  console.log(`The unchanged documents already have ${known.size} findings. They do not detect a mutant.`)

const mutants = [...mutantsOf(documents)]
const undecided: Mutant[] = []
let byTraffic = 0
for (const mutant of mutants) {
  if (isDetected(mutant.documents())) byTraffic++
  else undecided.push(mutant)
}
console.log(
  `${byTraffic} of ${mutants.length} mutants are detected in the recorded traffic; ${undecided.length} need a run`,
)

const listed = Bun.YAML.parse(readFileSync(join(import.meta.dir, 'equivalent-mutants.yaml'), 'utf8')) as {
  mutant: string
  reason: string
}[]
const survivors: string[] = []
let byRun = 0
let equivalent = 0
for (const mutant of undecided) {
  if (listed.some((one) => matches(one.mutant, mutant.id))) equivalent++
  else if (await isDetectedByRun(mutant)) byRun++
  else survivors.push(mutant.id)
}

const unused = listed.filter((one) => !undecided.some((mutant) => matches(one.mutant, mutant.id)))
for (const id of survivors) console.log(`survived: ${id}`)
for (const one of unused) console.log(`listed as equivalent, but detected: ${one.mutant}`)
console.log(
  `${mutants.length} mutants: ${byTraffic} detected in the recorded traffic, ${byRun} in a run, ${equivalent} equivalent, ${survivors.length} survived`,
)
mkdirSync(join(root, 'reports/contract'), { recursive: true })
writeFileSync(join(root, 'reports/contract/survivors.txt'), `${survivors.join('\n')}\n`)
console.log(`${mutants.length - survivors.length} passed, ${survivors.length + unused.length} failed`)
process.exit(survivors.length + unused.length === 0 ? 0 : 1)

/** Matches a mutant id against a listed pattern, in which `*` matches any text. */
function matches(pattern: string, id: string): boolean {
  const escaped = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${escaped.join('.*')}$`).test(id)
}

function isDetected(changed: Documents): boolean {
  try {
    return isNew(createReport(createContract(changed), traffic, known), false)
  } catch {
    // A document that can no longer be read is always detected.
    return true
  }
}

function isNew(report: Report, all: boolean): boolean {
  return [...report.findings, ...uncoveredFindings(report, all)].some((finding) => !known.has(finding))
}

/**
 * Uncovered items as findings. Unless `all` is set, an item is left out if its input was never sent: a run
 * with the changed documents may still cover it.
 */
function uncoveredFindings(report: Report, all: boolean): string[] {
  return uncoveredItems(report)
    .filter(({ input }) => all || input === undefined || report.inputs.has(input))
    .map(({ table, columns }) => `not covered: ${table} ${columns.join(' × ')}`)
}

function readTraffic(name: string): TrafficEvent[] {
  return parseTraffic(readFileSync(join(folder, name, 'traffic.jsonl'), 'utf8'))
}

async function isDetectedByRun(mutant: Mutant): Promise<boolean> {
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
  return isNew(createReport(createContract(changed), [...traffic, ...(live as TrafficEvent[])], known), true)
}

async function runSuite(spec: string, reports: string, files: string[]): Promise<void> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, 'run.ts'), '--runs', '10', ...files], {
    cwd: root,
    env: { ...process.env, SPEC_DIR: spec, REPORTS_DIR: reports, SEED: '1' },
    stdout: 'ignore',
    stderr: 'ignore',
  })
  await child.exited
}
