/**
 * Mutation testing of the contract suite: `bun run test:mutation`. Each mutant changes one place in the
 * documents, and the suite has to detect the difference from the unchanged service. A mutant is first
 * checked against the recorded traffic of one run. If that does not detect it, the tests run again with
 * the changed documents. One process for each processor decides mutants. See tests/contract/README.md.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createMutationCheck,
  equivalentMutants,
  isListed,
  runSuite,
  type Verdict,
} from './support/mutation-check.ts'
import type { Decided } from './support/mutation-worker.ts'

const root = join(import.meta.dir, '../..')
const folder = mkdtempSync(join(tmpdir(), 'parley-mutation-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

console.log('Recording one run of the suite')
const baseline = join(folder, 'baseline')
await runSuite(join(root, 'spec'), baseline)
const { ids, known } = createMutationCheck(baseline)
if (known.size > 0)
  console.log(`The unchanged documents already have ${known.size} findings. They do not detect a mutant.`)

console.log(`Checking ${ids.length} mutants`)
const verdicts = await decideAll(ids.length)
const idsWith = (verdict: Verdict) => ids.filter((_, index) => verdicts[index] === verdict)

const survivors = idsWith('survived')
const equivalent = idsWith('equivalent')
const unused = equivalentMutants.filter((one) => !equivalent.some((id) => isListed(one, id)))
for (const id of survivors) console.log(`survived: ${id}`)
for (const one of unused) console.log(`listed as equivalent, but detected: ${one.mutant}`)
console.log(
  `${ids.length} mutants: ${idsWith('traffic').length} detected in the recorded traffic, ${idsWith('run').length} in a run, ${equivalent.length} equivalent, ${survivors.length} survived`,
)
mkdirSync(join(root, 'reports/contract'), { recursive: true })
writeFileSync(join(root, 'reports/contract/survivors.txt'), `${survivors.join('\n')}\n`)
console.log(`${ids.length - survivors.length} passed, ${survivors.length + unused.length} failed`)
process.exit(survivors.length + unused.length === 0 ? 0 : 1)

/** The verdicts of all mutants by index. Each process receives the next mutant when it has decided one. */
async function decideAll(count: number): Promise<Verdict[]> {
  const verdicts: Verdict[] = []
  let next = 0
  let decided = 0
  const worker = join(import.meta.dir, 'support/mutation-worker.ts')
  const children = Array.from({ length: Math.min(availableParallelism(), count) }, () => {
    const child = Bun.spawn([process.execPath, worker, baseline, folder], {
      stdio: ['ignore', 'inherit', 'inherit'],
      ipc({ index, verdict }: Decided) {
        verdicts[index] = verdict
        if (++decided % 100 === 0) console.log(`${decided} of ${count} mutants are decided`)
        if (next < count) child.send(next++)
        else child.disconnect()
      },
    })
    child.send(next++)
    return child
  })
  await Promise.all(children.map(({ exited }) => exited))
  if (decided < count) throw new Error(`A process ended early: ${decided} of ${count} mutants were decided`)
  return verdicts
}
