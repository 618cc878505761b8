import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { mutants, mutate } from '../mutants/list.ts'

const root = join(import.meta.dir, '../..')

test.each(mutants.map((mutant) => [mutant.id, mutant] as const))(
  'the mutant %s changes exactly one place of its file',
  (_, mutant) => {
    const source = readFileSync(join(root, mutant.file), 'utf8')
    expect(mutate(mutant, source)).not.toBe(source)
  },
)
