import { describe, expect, test } from 'bun:test'
import type { Revocations } from '../../../src/auth/revocations.ts'
import type { MessageLog } from '../../../src/chats/message-log.ts'
import type { User, Users } from '../../../src/users/users.ts'
import { author, until } from '../support/message-logs.ts'

export interface UsersStorage extends AsyncDisposable {
  readonly users: Users
  readonly revocations: Revocations
  /** The same accounts and revocations, opened by another process. */
  readonly otherUsers: Users
  readonly otherRevocations: Revocations
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

const withHash = (user: User, passwordHash: string) => ({ user, tokensValidFrom: 0, passwordHash })

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
      expect(await users.find(user.id)).toEqual({ user, tokensValidFrom: 0 })
      for (const username of ['Some.One', 'some.one', 'SOME.ONE']) {
        expect(await users.findCredentials(username)).toEqual(withHash(user, 'hash'))
      }
    })

    test('a username that is taken in any letter case cannot be added', async () => {
      await using storage = await open()
      const { users, otherUsers } = storage
      const user = await addUser(users, 'someone')
      for (const each of [users, otherUsers]) {
        expect(await each.add('SomeOne', 'other hash')).toBeUndefined()
      }
      expect(await users.findCredentials('someone')).toEqual(withHash(user, 'hash'))
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

    test('a hash is replaced only if the account still has the expected one, and the tokens stay valid', async () => {
      await using storage = await open()
      const { users, otherUsers } = storage
      const user = await addUser(users, 'someone')
      expect(await users.rehash(user.id, { from: 'hash', to: 'new hash' })).toBe(true)
      expect(await users.findCredentials('someone')).toEqual(withHash(user, 'new hash'))
      for (const each of [users, otherUsers]) {
        expect(await each.rehash(user.id, { from: 'hash', to: 'late hash' })).toBe(false)
      }
      expect(await users.findCredentials('someone')).toEqual(withHash(user, 'new hash'))
    })

    test('a password change revokes the tokens, and of two changes from the same hash one succeeds', async () => {
      await using storage = await open()
      const { users, otherUsers } = storage
      const user = await addUser(users, 'someone')
      const changes = await Promise.all([
        users.changePassword(user.id, { from: 'hash', to: 'one' }),
        otherUsers.changePassword(user.id, { from: 'hash', to: 'two' }),
      ])
      const changed = changes.filter((account) => account !== undefined)
      expect(changed).toHaveLength(1)
      expect(changed[0]?.tokensValidFrom).toBeGreaterThan(0)
      expect(await users.find(user.id)).toEqual(changed[0])
      // An operator does not know the current hash.
      const set = await users.changePassword(user.id, { to: 'three' })
      expect(set?.tokensValidFrom).toBeGreaterThan(changed[0]?.tokensValidFrom ?? Number.NaN)
      expect((await users.findCredentials('someone'))?.passwordHash).toBe('three')
      expect(await users.changePassword('unknown', { to: 'four' })).toBeUndefined()
    })

    test('each revocation of all tokens has its own, later time, even within a millisecond', async () => {
      await using storage = await open()
      const { users } = storage
      const [user, other] = [await addUser(users, 'someone'), await addUser(users, 'other')]
      const times: number[] = []
      for (let i = 0; i < 5; i++) {
        expect(await users.revokeTokens(user.id)).toBe(true)
        times.push((await users.find(user.id))?.tokensValidFrom ?? Number.NaN)
      }
      expect(times.every((time, i) => i === 0 || time > (times[i - 1] as number))).toBe(true)
      expect(await users.find(other.id)).toEqual({ user: other, tokensValidFrom: 0 })
      expect(await users.revokeTokens('unknown')).toBe(false)
    })

    test('a removed user is not found any more, and the username stays taken in any letter case', async () => {
      await using storage = await open()
      const { users, otherUsers } = storage
      const [removed, kept] = [await addUser(users, 'removed'), await addUser(users, 'kept')]
      expect(await users.isTaken('unknown')).toBe(false)
      expect(await users.remove(removed.id, { eraseMessages: false })).toBe(true)
      expect(await users.find(removed.id)).toBeUndefined()
      expect(await users.findCredentials('removed')).toBeUndefined()
      expect((await users.find(kept.id))?.user).toEqual(kept)
      for (const each of [users, otherUsers]) {
        expect(await each.isTaken('Removed')).toBe(true)
        expect(await each.add('REMOVED', 'hash')).toBeUndefined()
      }
    })

    test('nothing changes a removed account any more', async () => {
      await using storage = await open()
      const { users } = storage
      const { id } = await addUser(users, 'someone')
      await users.remove(id, { eraseMessages: false })
      const record = await users.findRecord('someone')
      expect(record?.removedAt).toBeGreaterThan(0)
      expect(await users.remove(id, { eraseMessages: true })).toBe(false)
      expect(await users.revokeTokens(id)).toBe(false)
      expect(await users.changePassword(id, { to: 'hash' })).toBeUndefined()
      expect(await users.rehash(id, { from: '', to: 'hash' })).toBe(false)
      expect(await users.findRecord('someone')).toEqual(record)
    })

    test('an account is removed only if it has the expected password hash', async () => {
      await using storage = await open()
      const { users } = storage
      const { id } = await addUser(users, 'someone')
      expect(await users.remove('unknown', { eraseMessages: false })).toBe(false)
      expect(await users.remove(id, { passwordHash: 'old hash', eraseMessages: false })).toBe(false)
      expect((await users.find(id))?.user.id).toBe(id)
      expect(await users.remove(id, { passwordHash: 'hash', eraseMessages: false })).toBe(true)
    })

    test('the records of all accounts are listed in pages, in the order of their usernames', async () => {
      await using storage = await open()
      const { users } = storage
      for (const username of ['delta', 'Alpha', 'charlie', 'Bravo']) await addUser(users, username)
      await users.remove((await users.findRecord('charlie'))?.id ?? '', { eraseMessages: false })
      const first = await users.list(undefined, 3)
      expect(first.map(({ username }) => username)).toEqual(['Alpha', 'Bravo', 'charlie'])
      expect(first.map(({ removedAt }) => removedAt === null)).toEqual([true, true, false])
      expect((await users.list('CHARLIE', 3)).map(({ username }) => username)).toEqual(['delta'])
      expect(await users.list('delta', 3)).toEqual([])
      expect(await users.findRecord('ALPHA')).toEqual(first[0])
      expect(first[0]).toEqual({
        id: expect.any(String),
        username: 'Alpha',
        createdAt: expect.any(Number),
        tokensValidFrom: 0,
        removedAt: null,
      })
    })

    describe('a revoked token', () => {
      const later = Math.floor(Date.now() / 1000) + 3600

      test('is revoked for every process, and others are not', async () => {
        await using storage = await open()
        const { revocations, otherRevocations } = storage
        await revocations.revoke('one', later)
        await revocations.revoke('one', later)
        for (const each of [revocations, otherRevocations]) {
          expect(await each.isRevoked('one')).toBe(true)
          expect(await each.isRevoked('two')).toBe(false)
        }
      })

      test('changes the version, in this process and in another one', async () => {
        await using storage = await open()
        const { users, otherUsers, revocations } = storage
        const [own, others] = [users.version(), otherUsers.version()]
        await revocations.revoke('one', later)
        expect(users.version()).not.toBe(own)
        await until(() => otherUsers.version() !== others)
      })
    })

    describe('the version', () => {
      test('changes when this process removes a user', async () => {
        await using storage = await open()
        const { users } = storage
        const { id } = await addUser(users, 'someone')
        const before = users.version()
        await users.remove(id, { eraseMessages: false })
        expect(users.version()).not.toBe(before)
      })

      test('changes when this process changes a password or revokes all tokens', async () => {
        await using storage = await open()
        const { users } = storage
        const { id } = await addUser(users, 'someone')
        const versions = [users.version()]
        await users.changePassword(id, { to: 'new hash' })
        versions.push(users.version())
        await users.revokeTokens(id)
        versions.push(users.version())
        expect(new Set(versions).size).toBe(3)
      })

      test('changes when another process removes a user or changes a password', async () => {
        await using storage = await open()
        const { users, otherUsers } = storage
        const { id } = await addUser(users, 'someone')
        const changes = [
          () => otherUsers.changePassword(id, { to: 'new hash' }),
          () => otherUsers.remove(id, { eraseMessages: false }),
        ]
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
          await users.changePassword(id, { to: `own ${i}` })
          seen.push(users.version())
          await otherUsers.changePassword(id, { to: `other ${i}` })
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
