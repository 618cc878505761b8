import { expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { openDatabase } from '../../../src/database/open-database.ts'
import { messageLog } from '../../../src/database/schema.ts'
import { prepareStatement } from '../../../src/database/statements.ts'
import { temporaryFolder } from '../support/service.ts'

test("a statement of Drizzle's takes values in the order of its names, and is refused with other names", async () => {
  await using folder = await temporaryFolder()
  const { queries, close } = openDatabase(folder.path)
  const query = queries.insert(messageLog).values({
    id: sql.placeholder('id'),
    incarnation: sql.placeholder('incarnation'),
    trimmedThrough: sql.placeholder('trimmed'),
  })
  for (const names of [[], ['id', 'trimmed', 'incarnation'], ['id', 'incarnation', 'trimmed', 'more']]) {
    expect(() => prepareStatement(queries, query, names)).toThrow('are id,incarnation,trimmed')
  }
  prepareStatement<[number, string, number]>(queries, query, ['id', 'incarnation', 'trimmed']).run(
    1,
    'abc',
    7,
  )
  expect(queries.select().from(messageLog).all()).toEqual([{ id: 1, incarnation: 'abc', trimmedThrough: 7 }])
  close()
})
