import { describe, expect, test } from 'bun:test'
import type { RoomsEngine } from './engine.ts'

export function resumeSuite({ createStorage }: RoomsEngine): void {
  describe('a resume', () => {
    test('gives the intervals of the memberships, with any page size, also after a restart', async () => {
      await using storage = await createStorage()
      const expected = ['joined bob member', 'one', 'to all', 'left bob', 'joined bob member', 'two']
      let head = ''
      let bob = { id: '', username: '' }
      {
        await using actions = await storage.open()
        const ada = await actions.user('ada')
        bob = await actions.user('bob')
        head = actions.log.head()
        const room = await actions.create(ada)
        await actions.send(ada, 'not visible', room)
        await actions.add(ada, room, 'bob')
        await actions.send(ada, 'one', room)
        await actions.send(ada, 'to all')
        await actions.remove(bob, room, 'bob')
        await actions.send(ada, 'not visible either', room)
        await actions.add(ada, room, 'bob')
        await actions.send(ada, 'two', room)
        for (const pageSize of [1, 2, 3, 100]) {
          expect(await actions.resume(bob, head, pageSize)).toEqual({ entries: expected, gaps: [], rooms: 1 })
        }
      }
      await using again = await storage.open()
      expect(await again.resume(bob, head)).toEqual({ entries: expected, gaps: [], rooms: 1 })
    })

    test('covers many rooms and long stretches without anything for the user', async () => {
      await using storage = await createStorage()
      await using actions = await storage.open()
      const [ada, bob] = await actions.users('ada', 'bob')
      const head = actions.log.head()
      const rooms: string[] = []
      for (let index = 0; index < 30; index++) rooms.push(await actions.create(ada, { name: `${index}` }))
      const expected: string[] = []
      for (const room of [rooms[3], rooms[17], rooms[29]] as string[]) {
        await actions.add(ada, room, 'bob')
        expected.push('joined bob member')
        for (let round = 0; round < 30; round++) {
          await Promise.all(rooms.map((each, index) => actions.send(ada, `${index} in ${round}`, each)))
        }
      }
      const { entries, gaps, rooms: count } = await actions.resume(bob, head)
      const sent = (index: number) => entries.filter((text) => text.startsWith(`${index} in `)).length
      expect([sent(3), sent(17), sent(29), sent(5)]).toEqual([90, 60, 30, 0])
      expect(entries.filter((text) => text.startsWith('joined'))).toEqual(expected)
      expect([gaps, count]).toEqual([[], 3])
    })

    test('ends a removed room, and leaves the numbers of no room', async () => {
      await using storage = await createStorage()
      await using actions = await storage.open()
      const [ada, bob] = await actions.users('ada', 'bob')
      const head = actions.log.head()
      const room = await actions.create(ada, { members: ['bob'] })
      await actions.end(ada, room)
      expect(await actions.resume(bob, head)).toEqual({
        entries: ['joined bob member', 'room-removed'],
        gaps: [],
        rooms: 0,
      })
    })
  })
}
