import { describe, expect, test } from 'bun:test'
import type { RoomsEngine } from './engine.ts'

export function directSuite({ createStorage }: RoomsEngine): void {
  describe('a direct room', () => {
    test('is one room for both, which neither owns', async () => {
      await using storage = await createStorage()
      await using actions = await storage.open()
      const [ada, bob] = await actions.users('ada', 'bob')
      const [one, other] = await Promise.all([actions.direct(ada, 'bob'), actions.direct(bob, 'ADA')])
      expect(one).toBe(other)
      await actions.user('eve')
      expect(await actions.add(ada, one, 'eve')).toBe('not-owner')
      expect(await actions.rename(ada, one, 'ours')).toBe('not-owner')
      expect(await actions.end(bob, one)).toBe('not-owner')
      expect(await actions.direct(ada, 'unknown').catch(({ code }) => code)).toBe('not-found')
      expect(await actions.direct(ada, 'ada').catch(({ code }) => code)).toBe('not-found')
    })

    test('is closed by leaving, and only the user who left can open it again', async () => {
      await using storage = await createStorage()
      await using actions = await storage.open()
      const [ada, bob] = await actions.users('ada', 'bob')
      const room = await actions.direct(ada, 'bob')
      await actions.send(ada, 'hello', room)
      await actions.remove(bob, room, 'bob')
      expect(await actions.send(ada, 'unwanted', room)).toBe('not-found')
      expect(await actions.direct(ada, 'bob')).toBe(room)
      expect(await actions.send(ada, 'still unwanted', room)).toBe('not-found')
      expect(await actions.add(ada, room, 'bob')).toBe('not-owner')
      expect(await actions.direct(bob, 'ada')).toBe(room)
      await actions.send(bob, 'again', room)
      expect(await actions.history(room, bob)).toEqual(['hello', 'again'])
    })

    test('is not created without permission', async () => {
      await using storage = await createStorage()
      await using actions = await storage.open()
      const [ada] = await actions.users('ada', 'bob')
      const change = { kind: 'open-direct', by: ada, username: 'bob', mayCreate: false } as const
      expect(await actions.log.change(change)).toEqual({})
      expect(await actions.roomsOf(ada)).toEqual([])
    })
  })
}
