import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { openDatabase } from '../../../src/database/open-database.ts'
import { createUsers } from '../../../src/users/users.ts'
import { temporaryFolder } from '../support/service.ts'

const nextTurn = () => new Promise((resolve) => setTimeout(resolve))

test('a database may be closed in the turn in which it was read', async () => {
  await using folder = await temporaryFolder()
  const database = openDatabase(folder.path)
  createUsers(database).find('nobody')
  database.close()
  // What would throw now is caught by the test runner.
  await nextTurn()
})

test('a look-up sees what was written before its turn, by whomever', async () => {
  await using folder = await temporaryFolder()
  const database = openDatabase(folder.path)
  const users = createUsers(database)
  expect(users.find('nobody')).toBeUndefined()
  const user = users.add('someone', 'no hash')
  await nextTurn()
  expect(users.find(String(user?.id))).toEqual(user)
  using other = new Database(join(folder.path, 'parley.sqlite'))
  await nextTurn()
  other.run('delete from users')
  expect(users.find(String(user?.id))).toBeUndefined()
  database.close()
})
