import { describe, expect, test } from 'bun:test'
import type { MessageLog } from '../../../src/chats/message-log.ts'
import type { User, Users } from '../../../src/users/users.ts'
import { author, until } from '../support/message-logs.ts'

export interface UsersStorage extends AsyncDisposable {
  readonly users: Users
  /** The same accounts, opened by another process. */
  readonly otherUsers: Users
  /** The message log in the same storage. */
  readonly messageLog: MessageLog
}

export interface UsersEngine {
  readonly name: string
  /** Opens a storage without accounts. Disposing it removes it. */
  open(): Promise<UsersStorage>
}

async function addUser(users: Users, username: string): Promise<User> {
  const user = await users.add(username, 'hash')
  if (!user) throw new Error(`${username} is taken`)
  return user
}

/** Longer than an engine may take to notice a change by another process. */
const noticePeriodMs = 50

/** The guarantees of `Users`, for every engine. */
export function usersSuite({ name, open }: UsersEngine): void {
  describe(`the users in ${name}`, () => {
    test('an added user is found by id, and its credentials by username in any letter case', async () => {
      await using storage = await open()
      const { users } = storage
      expect(await users.findCredentials('someone')).toBeUndefined()
      const user = await addUser(users, 'Some.One')
      expect(user).toEqual({ id: expect.any(String), username: 'Some.One' })
      expect(await users.find(user.id)).toEqual(user)
      for (const username of ['Some.One', 'some.one', 'SOME.ONE']) {
        expect(await users.findCredentials(username)).toEqual({ ...user, passwordHash: 'hash' })
      }
    })

    test('a username that is taken in any letter case cannot be added', async () => {
      await using storage = await open()
      const { users, otherUsers } = storage
      const user = await addUser(users, 'someone')
      for (const each of [users, otherUsers]) {
        expect(await each.add('SomeOne', 'other hash')).toBeUndefined()
      }
      expect(await users.findCredentials('someone')).toEqual({ ...user, passwordHash: 'hash' })
    })

    test('of parallel attempts to add one username, one succeeds', async () => {
      await using storage = await open()
      const { users, otherUsers } = storage
      const names = ['racer', 'Racer', 'rAcer', 'raCer', 'racEr', 'raceR']
      const added = await Promise.all(
        names.map(async (username, i) => (i % 2 ? otherUsers : users).add(username, 'hash')),
      )
      expect(added.filter((user) => user !== undefined)).toHaveLength(1)
    })

    test('a changed password hash is returned', async () => {
      await using storage = await open()
      const { users } = storage
      const user = await addUser(users, 'someone')
      await users.changePasswordHash(user.id, 'new hash')
      expect(await users.findCredentials('someone')).toEqual({ ...user, passwordHash: 'new hash' })
    })

    test('a removed user is not found any more, and the username can be added again', async () => {
      await using storage = await open()
      const { users } = storage
      const [removed, kept] = [await addUser(users, 'removed'), await addUser(users, 'kept')]
      expect(await users.remove(removed.id)).toBe(true)
      expect(await users.find(removed.id)).toBeUndefined()
      expect(await users.findCredentials('removed')).toBeUndefined()
      expect(await users.find(kept.id)).toEqual(kept)
      const again = await addUser(users, 'removed')
      expect(again.id).not.toBe(removed.id)
    })

    test('removing an unknown id returns false', async () => {
      await using storage = await open()
      const { users } = storage
      const { id } = await addUser(users, 'someone')
      expect(await users.remove('unknown')).toBe(false)
      expect(await users.remove(id)).toBe(true)
      expect(await users.remove(id)).toBe(false)
    })

    describe('the version', () => {
      test('changes when this process removes a user', async () => {
        await using storage = await open()
        const { users } = storage
        const { id } = await addUser(users, 'someone')
        const before = users.version()
        await users.remove(id)
        expect(users.version()).not.toBe(before)
      })

      test('changes when this process changes a password hash', async () => {
        await using storage = await open()
        const { users } = storage
        const { id } = await addUser(users, 'someone')
        const before = users.version()
        await users.changePasswordHash(id, 'new hash')
        expect(users.version()).not.toBe(before)
      })

      test('changes when another process removes a user or changes a password hash', async () => {
        await using storage = await open()
        const { users, otherUsers } = storage
        const { id } = await addUser(users, 'someone')
        const changes = [() => otherUsers.changePasswordHash(id, 'new hash'), () => otherUsers.remove(id)]
        for (const change of changes) {
          const before = users.version()
          await change()
          await until(() => users.version() !== before)
        }
        expect(await users.find(id)).toBeUndefined()
      })

      test('never returns to an earlier value', async () => {
        await using storage = await open()
        const { users, otherUsers } = storage
        const { id } = await addUser(users, 'someone')
        const seen = [users.version()]
        for (let i = 0; i < 5; i++) {
          await users.changePasswordHash(id, `own ${i}`)
          seen.push(users.version())
          await otherUsers.changePasswordHash(id, `other ${i}`)
          await until(() => users.version() !== seen.at(-1))
          seen.push(users.version())
        }
        expect(new Set(seen).size).toBe(seen.length)
      })

      test('does not change when this process appends messages or reads accounts', async () => {
        await using storage = await open()
        const { users, messageLog } = storage
        const { id } = await addUser(users, 'someone')
        const before = users.version()
        for (let i = 0; i < 20; i++) {
          await messageLog.append({ user: author, message: `message ${i}`, idempotencyKey: undefined })
        }
        await users.find(id)
        await users.findCredentials('someone')
        await Bun.sleep(noticePeriodMs)
        expect(users.version()).toBe(before)
      })
    })
  })
}
