import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createContract } from './contract.ts'
import { DOCUMENT_NAMES, type Documents, readDocuments } from './documents.ts'
import { type Mutant, mutantsOf } from './mutants.ts'
import { createReport, type Report, uncoveredItems } from './report.ts'
import { parseTraffic, type TrafficEvent } from './traffic.ts'

/** How a mutant ended: detected in the recorded traffic or in a run of its own, listed as equivalent, or not detected. */
export type Verdict = 'traffic' | 'run' | 'equivalent' | 'survived'

export interface EquivalentMutant {
  /** A mutant's id, in which `*` matches any text. */
  readonly mutant: string
  readonly reason: string
}

const contractFolder = join(import.meta.dir, '..')
const root = join(contractFolder, '../..')

export const equivalentMutants = Bun.YAML.parse(
  readFileSync(join(contractFolder, 'equivalent-mutants.yaml'), 'utf8'),
) as EquivalentMutant[]

/** Matches a mutant's id against the pattern of a listed mutant. */
export function isListed({ mutant: pattern }: EquivalentMutant, id: string): boolean {
  const escaped = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${escaped.join('.*')}$`).test(id)
}

/** Runs the contract suite with the given documents, and writes its reports and its traffic to `reports`. */
export async function runSuite(spec: string, reports: string, files: string[] = []): Promise<void> {
  const child = Bun.spawn([process.execPath, join(contractFolder, 'run.ts'), '--runs', '10', ...files], {
    cwd: root,
    env: { ...process.env, SPEC_DIR: spec, REPORTS_DIR: reports, SEED: '1' },
    stdout: 'ignore',
    stderr: 'ignore',
  })
  await child.exited
}

/**
 * Decides whether the suite detects mutants of the documents.
 *
 * @param baseline the reports of a run with the unchanged documents
 */
export function createMutationCheck(baseline: string) {
  const documents = readDocuments(join(root, 'spec'))
  // The slow-reader test sends one large message 700 times. Skip it: checking it is slow and adds nothing.
  const isFlood = (event: TrafficEvent) =>
    'text' in event && event.text.length > 10_000 && event.server !== 'main'
  const traffic = readTraffic(baseline).filter((event) => !isFlood(event))
  const unchanged = createReport(createContract(documents), traffic)
  const known = new Set([...unchanged.findings, ...uncoveredFindings(unchanged, true)])
  const mutants = [...mutantsOf(documents)]

  const isNew = (report: Report, all: boolean) =>
    [...report.findings, ...uncoveredFindings(report, all)].some((finding) => !known.has(finding))

  function isDetectedInTraffic(changed: Documents): boolean {
    try {
      return isNew(createReport(createContract(changed), traffic, known), false)
    } catch {
      // A document that can no longer be read is always detected.
      return true
    }
  }

  /** Runs the tests whose requests depend on the changed place, with the changed documents. */
  async function isDetectedByRun({ id, documents: changed }: Mutant, folder: string): Promise<boolean> {
    const spec = join(folder, 'spec')
    mkdirSync(spec, { recursive: true })
    const copy = changed()
    for (const name of DOCUMENT_NAMES) writeFileSync(join(spec, name), JSON.stringify(copy[name]))
    const names = id.includes('/examples/') ? ['examples'] : ['rejections', 'constraints']
    const reports = join(folder, 'mutant')
    await runSuite(
      spec,
      reports,
      names.map((name) => `tests/contract/${name}.test.ts`),
    )
    const live = readTraffic(reports).map((event) => {
      return {
        ...event,
        server: `live ${event.server}`,
        ...('socket' in event && { socket: `live ${event.socket}` }),
      }
    })
    return isNew(createReport(createContract(copy), [...traffic, ...(live as TrafficEvent[])], known), true)
  }

  return {
    ids: mutants.map(({ id }) => id),
    /** The findings that the unchanged documents already have. They do not detect a mutant. */
    known,
    /** @param folder where the run of a mutant may write; not shared with another run */
    async decide(index: number, folder: string): Promise<Verdict> {
      const mutant = mutants[index] as Mutant
      if (isDetectedInTraffic(mutant.documents())) return 'traffic'
      if (equivalentMutants.some((one) => isListed(one, mutant.id))) return 'equivalent'
      return (await isDetectedByRun(mutant, folder)) ? 'run' : 'survived'
    },
  }
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

function readTraffic(reports: string): TrafficEvent[] {
  return parseTraffic(readFileSync(join(reports, 'traffic.jsonl'), 'utf8'))
}
