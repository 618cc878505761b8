// One process of the mutation run. It decides the mutants whose numbers it receives, one after the other.
import { join } from 'node:path'
import { createMutationCheck, type Verdict } from './mutation-check.ts'

export interface Decided {
  readonly index: number
  readonly verdict: Verdict
}

const [baseline = '', folder = ''] = process.argv.slice(2)
const check = createMutationCheck(baseline)
process.on('disconnect', () => process.exit())
process.on('message', async (index: number) => {
  const decided: Decided = { index, verdict: await check.decide(index, join(folder, `${process.pid}`)) }
  process.send?.(decided)
})
