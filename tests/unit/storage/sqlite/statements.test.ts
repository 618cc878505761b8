import { expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { openSqlite } from '../../../../src/storage/sqlite/connection.ts'
import { messageLog } from '../../../../src/storage/sqlite/schema.ts'
import { prepareStatement } from '../../../../src/storage/sqlite/statements.ts'
import { temporaryFolder } from '../../support/service.ts'

test('a prepared statement binds values in the order of its names, and other names are refused', async () => {
  await using folder = await temporaryFolder()
  const { queries, close } = openSqlite(folder.path)
  const query = queries.insert(messageLog).values({
    id: sql.placeholder('id'),
    epoch: sql.placeholder('epoch'),
    trimmedThrough: sql.placeholder('trimmed'),
    removedThrough: sql.placeholder('removed'),
    forgottenThrough: sql.placeholder('forgotten'),
  })
  for (const names of [
    [],
    ['id', 'trimmed', 'epoch', 'removed', 'forgotten'],
    ['id', 'epoch', 'trimmed', 'removed', 'forgotten', 'more'],
  ]) {
    expect(() => prepareStatement(queries, query, names)).toThrow('are id,epoch,trimmed,removed,forgotten')
  }
  const names = ['id', 'epoch', 'trimmed', 'removed', 'forgotten']
  prepareStatement<[number, string, number, number, number]>(queries, query, names).run(1, 'abc', 7, 8, 9)
  expect(queries.select().from(messageLog).all()).toEqual([
    { id: 1, epoch: 'abc', trimmedThrough: 7, removedThrough: 8, forgottenThrough: 9 },
  ])
  close()
})
