import { expect, spyOn, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import { createChangeCounter } from '../../src/storage/sqlite/change-counter.ts'
import { createDataVersion } from '../../src/storage/sqlite/data-version.ts'
import { users as usersTable } from '../../src/storage/sqlite/schema.ts'
import { createSqliteUsers } from '../../src/users/users.sqlite.ts'
import type { Users } from '../../src/users/users.ts'
import { temporaryFolder, untilNoticed } from '../unit/support/service.ts'
import { openOtherConnection, openSqliteLog } from './support/sqlite.ts'

async function openUsers() {
  const folder = await temporaryFolder()
  const opened = openSqliteLog(folder.path)
  const { queries } = opened
  const other = openOtherConnection(folder.path)
  return {
    queries,
    users: createSqliteUsers({ queries, changes: createChangeCounter(queries.$client) }),
    /** The connection of another program, such as sqlite3 in the hands of an operator. */
    other,
    async [Symbol.asyncDispose]() {
      other.close()
      await opened[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}

async function addUser(users: Users, username: string) {
  const user = await users.add(username, 'no hash')
  if (!user) throw new Error(`${username} is taken`)
  return user
}

test('a user that was not found is found once another program has inserted it', async () => {
  await using opened = await openUsers()
  const { users, other } = opened
  expect(await users.find('an id')).toBeUndefined()
  other.run("insert into users (id, username, password_hash, created_at) values ('an id', 'someone', 'x', 1)")
  expect(await users.find('an id')).toEqual({
    user: { id: 'an id', username: 'someone' },
    tokensValidFrom: 0,
  })
})

test('the version changes once for each change by another program, and a find then returns the new row', async () => {
  await using opened = await openUsers()
  const { users, other } = opened
  const { id } = await addUser(users, 'before')
  const version = users.version()
  other.run("update users set username = 'after'")
  await untilNoticed()
  const changed = users.version()
  expect(changed).not.toBe(version)
  expect(await users.find(id)).toMatchObject({ user: { id, username: 'after' } })
  await untilNoticed()
  expect(users.version()).toBe(changed)
})

test('the version ignores writes of its own connection that do not go through the port', async () => {
  await using opened = await openUsers()
  const { queries, users } = opened
  const { id } = await addUser(users, 'before')
  const version = users.version()
  queries.update(usersTable).set({ username: 'after' }).where(eq(usersTable.id, id)).run()
  await untilNoticed()
  expect(users.version()).toBe(version)
})

test('the version changes when another program deletes a user, who is then not found', async () => {
  await using opened = await openUsers()
  const { users, other } = opened
  const [kept, removed] = [await addUser(users, 'kept'), await addUser(users, 'removed')]
  const version = users.version()
  other.run("delete from users where username = 'removed'")
  await untilNoticed()
  expect(users.version()).not.toBe(version)
  expect((await users.find(kept.id))?.user).toEqual(kept)
  expect(await users.find(removed.id)).toBeUndefined()
})

test('each revocation of all tokens has its own value, also if the clock stands still or is set back', async () => {
  await using opened = await openUsers()
  const { users } = opened
  const { id } = await addUser(users, 'someone')
  const now = Date.now()
  const clock = spyOn(Date, 'now')
  try {
    const values: number[] = []
    for (const time of [now, now, now - 3_600_000, now]) {
      clock.mockReturnValue(time)
      await users.revokeTokens(id)
      values.push((await users.find(id))?.tokensValidFrom ?? Number.NaN)
    }
    expect(values).toEqual([now, now + 1, now + 2, now + 3])
  } finally {
    clock.mockRestore()
  }
})

test('data_version changes with commits of other connections only', async () => {
  await using opened = await openUsers()
  const { queries, users, other } = opened
  const dataVersion = createDataVersion(queries.$client)
  const before = dataVersion()
  await users.changePassword((await addUser(users, 'someone')).id, { to: 'another hash' })
  await untilNoticed()
  expect(dataVersion()).toBe(before)
  other.run("update users set password_hash = 'a third'")
  await untilNoticed()
  expect(dataVersion()).not.toBe(before)
})
