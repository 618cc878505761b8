import { describe, expect, test } from 'bun:test'
import { until } from '../../support/message-logs.ts'
import type { RoomsEngine } from './engine.ts'

export function membersSuite({ createStorage }: RoomsEngine): void {
  describe('membership', () => {
    test('decides about a message at its place in the log, also within one batch', async () => {
      await using storage = await createStorage()
      await using actions = await storage.open()
      const [ada, bob] = await actions.users('ada', 'bob')
      const room = await actions.create(ada)
      const outcomes = await Promise.all([
        actions.send(bob, 'too early', room),
        actions.add(ada, room, 'bob'),
        actions.send(bob, 'in time', room),
        actions.remove(bob, room, 'bob'),
        actions.send(bob, 'too late', room),
      ])
      expect(outcomes.with(2, 'an id')).toEqual(['not-found', 'ok', 'an id', 'ok', 'not-found'])
      expect(await actions.history(room, ada)).toEqual(['in time'])
    })

    test('is needed for a private room, and every user may join a public one', async () => {
      await using storage = await createStorage()
      await using actions = await storage.open()
      const [ada, bob, eve] = await actions.users('ada', 'bob', 'eve')
      const hidden = await actions.create(ada, { name: 'hidden' })
      const open = await actions.create(ada, { name: 'open', public: true, history: 'all' })
      expect(await actions.add(bob, hidden, 'bob')).toBe('not-found')
      expect(await actions.add(bob, open, 'bob')).toBe('ok')
      expect(await actions.add(bob, open, 'bob')).toBe('ok')
      expect(await actions.add(bob, open, 'eve')).toBe('not-owner')
      expect(await actions.add(eve, open, 'eve', 'owner')).toBe('not-owner')
      expect(await actions.rename(eve, open, 'mine')).toBe('not-owner')
      expect(await actions.rename(eve, hidden, 'mine')).toBe('not-found')
      expect(await actions.roomsOf(bob)).toEqual(['open'])
      expect((await actions.rooms.listPublic(undefined, 10)).rooms.map(({ name }) => name)).toEqual(['open'])
      expect(await actions.rooms.get(hidden, bob.id)).toBeUndefined()
      expect((await actions.rooms.get(open, eve.id))?.name).toBe('open')
      expect(await actions.roles(hidden, bob)).toBeUndefined()
    })

    test('ends with the account, in one commit for each user, and the account cannot be added again', async () => {
      await using storage = await createStorage()
      await using actions = await storage.open()
      const [ada, bob] = await actions.users('ada', 'bob')
      const [one, two] = [await actions.create(ada, { members: ['bob'] }), await actions.create(ada)]
      const [, added] = await Promise.all([actions.endAccount(ada), actions.add(bob, one, 'ada')])
      expect(['not-owner', 'not-found']).toContain(added)
      expect(await actions.roles(one, bob)).toEqual({ bob: 'owner' })
      expect(await actions.add(bob, one, 'ada')).toBe('not-found')
      expect(await actions.send(ada, 'late', two)).toBe('not-found')
    })

    test('ends at the next start if the removal of the account was interrupted', async () => {
      await using storage = await createStorage()
      let [ada, bob] = [
        { id: '', username: '' },
        { id: '', username: '' },
      ]
      let room = ''
      {
        await using actions = await storage.open()
        ;[ada, bob] = await actions.users('ada', 'bob')
        room = await actions.create(ada, { members: ['bob'] })
        await actions.removeAccount(ada)
      }
      await using again = await storage.open()
      await until(async () => (await again.roles(room, bob))?.bob === 'owner')
      expect(await again.roles(room, bob)).toEqual({ bob: 'owner' })
    })

    test('of a removed room ends, and the room does not exist any more', async () => {
      await using storage = await createStorage()
      await using actions = await storage.open()
      const [ada, bob] = await actions.users('ada', 'bob')
      const room = await actions.create(ada, { members: ['bob'] })
      expect(await actions.end(bob, room)).toBe('not-owner')
      const outcomes = await Promise.all([actions.end(ada, room), actions.send(bob, 'too late', room)])
      expect(outcomes).toEqual(['ok', 'not-found'])
      expect(await actions.end(ada, room)).toBe('not-found')
      expect(await actions.history(room, ada)).toBeUndefined()
      expect(await actions.roomsOf(bob)).toEqual([])
    })
  })
}

export function ownersSuite({ createStorage }: RoomsEngine): void {
  describe('owners', () => {
    test('are succeeded by the member of longest standing, and the last member takes the room along', async () => {
      await using storage = await createStorage()
      await using actions = await storage.open()
      const [ada, bob, eve] = await actions.users('ada', 'bob', 'eve')
      const room = await actions.create(ada)
      await actions.add(ada, room, 'eve')
      await actions.add(ada, room, 'bob')
      expect(await actions.remove(ada, room, 'ada')).toBe('ok')
      expect(await actions.roles(room, bob)).toEqual({ eve: 'owner', bob: 'member' })
      expect(await actions.remove(bob, room, 'eve')).toBe('not-owner')
      await actions.remove(eve, room, 'eve')
      await actions.remove(bob, room, 'bob')
      expect(await actions.rooms.get(room, bob.id)).toBeUndefined()
    })

    test('who remove each other at the same time leave one of them', async () => {
      await using storage = await createStorage()
      await using actions = await storage.open()
      const [ada, bob] = await actions.users('ada', 'bob')
      const room = await actions.create(ada)
      await actions.add(ada, room, 'bob', 'owner')
      const outcomes = await Promise.all([actions.remove(ada, room, 'bob'), actions.remove(bob, room, 'ada')])
      expect(outcomes).toEqual(['ok', 'not-found'])
      expect(await actions.roles(room, ada)).toEqual({ ada: 'owner' })
    })

    test('change roles, but a room keeps an owner', async () => {
      await using storage = await createStorage()
      await using actions = await storage.open()
      const [ada, bob] = await actions.users('ada', 'bob')
      const room = await actions.create(ada, { members: ['bob'] })
      expect(await actions.add(bob, room, 'bob', 'owner')).toBe('not-owner')
      expect(await actions.add(ada, room, 'ada', 'member')).toBe('last-owner')
      expect(await actions.add(ada, room, 'bob', 'owner')).toBe('ok')
      expect(await actions.add(ada, room, 'ada', 'member')).toBe('ok')
      expect(await actions.roles(room, ada)).toEqual({ ada: 'member', bob: 'owner' })
      // The operator may do everything.
      expect(await actions.add(null, room, 'ada', 'owner')).toBe('ok')
      expect(await actions.end(null, room)).toBe('ok')
    })
  })
}
