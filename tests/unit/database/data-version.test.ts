import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { eq } from 'drizzle-orm'
import { openDatabase } from '../../../src/database/open-database.ts'
import * as schema from '../../../src/database/schema.ts'
import { type Account, createUsers } from '../../../src/users/users.ts'
import { temporaryFolder } from '../support/service.ts'

/** Longer than an answer holds without asking again. */
const aWhile = () => Bun.sleep(5)

function found(account: Account | undefined): Account {
  if (!account) throw new Error('There is no such account')
  return account
}

async function openUsers() {
  const folder = await temporaryFolder()
  const database = openDatabase(folder.path)
  const other = new Database(join(folder.path, 'parley.sqlite'))
  const users = createUsers(database)
  return {
    database,
    users,
    other,
    add(username: string) {
      const user = users.add(username, 'no hash')
      if (!user) throw new Error(`${username} is taken`)
      return user
    },
    async [Symbol.asyncDispose]() {
      other.close()
      database.close()
      await folder[Symbol.asyncDispose]()
    },
  }
}

test('an account that was not there is found as soon as it is', async () => {
  await using opened = await openUsers()
  const account = { id: 'an id', username: 'someone', passwordHash: 'no hash', createdAt: 1 }
  expect(opened.users.find(account.id)).toBeUndefined()
  opened.database.queries.insert(schema.users).values(account).run()
  expect(opened.users.find(account.id)?.user).toEqual({ id: account.id, username: account.username })
})

test('an account is read once, until another program has written', async () => {
  await using opened = await openUsers()
  const { database, users, other } = opened
  const { id } = opened.add('before')
  const account = found(users.find(id))
  expect(account.user.username).toBe('before')
  // By the connection of this process, whose writes are known to change no account that is remembered.
  database.queries.update(schema.users).set({ username: 'unseen' }).where(eq(schema.users.id, id)).run()
  await aWhile()
  expect([users.refresh(account), account.user.username]).toEqual([true, 'before'])
  other.run("update users set username = 'after'")
  await aWhile()
  expect([users.refresh(account), account.user.username]).toEqual([true, 'after'])
  // It is not read again, which would find what this process has written now.
  database.queries.update(schema.users).set({ username: 'unseen' }).where(eq(schema.users.id, id)).run()
  expect([users.refresh(account), account.user.username]).toEqual([true, 'after'])
})

test('an account that another program removes is gone, though it is remembered', async () => {
  await using opened = await openUsers()
  const { users, other } = opened
  const [kept, removed] = ['kept', 'removed'].map((name) => found(users.find(opened.add(name).id)))
  expect([kept, removed].map((each) => users.refresh(each as Account))).toEqual([true, true])
  other.run("delete from users where username = 'removed'")
  await aWhile()
  expect([kept, removed].map((each) => users.refresh(each as Account))).toEqual([true, false])
  expect(users.find((removed as Account).user.id)).toBeUndefined()
})

test('own writes do not count as a change', async () => {
  await using opened = await openUsers()
  const { database, users, other } = opened
  const before = database.dataVersion()
  users.changePasswordHash(opened.add('someone').id, 'another hash')
  await aWhile()
  expect(database.dataVersion()).toBe(before)
  other.run("update users set password_hash = 'a third'")
  await aWhile()
  expect(database.dataVersion()).not.toBe(before)
})
