import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { openDatabase } from '../../../src/database/open-database.ts'
import { createUsers } from '../../../src/users/users.ts'
import { temporaryFolder } from '../support/service.ts'

/** Longer than an answer holds without asking again. */
const aWhile = () => Bun.sleep(5)

async function openUsers() {
  const folder = await temporaryFolder()
  const database = openDatabase(folder.path)
  const other = new Database(join(folder.path, 'parley.sqlite'))
  return {
    database,
    users: createUsers(database),
    other,
    async [Symbol.asyncDispose]() {
      other.close()
      database.close()
      await folder[Symbol.asyncDispose]()
    },
  }
}

test('a database may be closed as soon as it was read', async () => {
  await using folder = await temporaryFolder()
  const database = openDatabase(folder.path)
  createUsers(database).find('nobody')
  database.close()
  // What would throw now is caught by the test runner.
  await aWhile()
})

test('an account that was added is found at once, also where it was missed before', async () => {
  await using opened = await openUsers()
  const { users } = opened
  expect(users.find('nobody')).toBeUndefined()
  const user = users.add('someone', 'no hash')
  expect(users.find(String(user?.id))).toEqual(user)
})

test('an account that another program removes or renames is noticed, though it is remembered', async () => {
  await using opened = await openUsers()
  const { users, other } = opened
  const [kept, removed] = [users.add('kept', 'no hash'), users.add('removed', 'no hash')]
  expect(users.find(String(removed?.id))).toEqual(removed)
  await aWhile()
  other.run("delete from users where username = 'removed'")
  other.run("update users set username = 'renamed' where username = 'kept'")
  await aWhile()
  expect(users.find(String(removed?.id))).toBeUndefined()
  expect(users.find(String(kept?.id))?.username).toBe('renamed')
})

test('own writes do not count as a change, since they change nothing that is remembered', async () => {
  await using opened = await openUsers()
  const { database, users, other } = opened
  const before = database.dataVersion()
  const user = users.add('someone', 'no hash')
  users.changePasswordHash(String(user?.id), 'another hash')
  await aWhile()
  expect(database.dataVersion()).toBe(before)
  other.run("update users set password_hash = 'a third'")
  await aWhile()
  expect(database.dataVersion()).not.toBe(before)
})
