import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { mutants } from '../mutants/list.ts'

const root = join(import.meta.dir, '../..')

test('each mutant still changes exactly one place of the source code', async () => {
  const misplaced: string[] = []
  for (const { id, file, find } of mutants) {
    const places = (await Bun.file(join(root, file)).text()).split(find).length - 1
    if (places !== 1) misplaced.push(`${id}: ${places} places in ${file}`)
  }
  expect(misplaced).toEqual([])
})
