import { describe, expect, test } from 'bun:test'
import type { Page } from '../../../../src/chats/message-log.ts'
import { until } from '../../support/message-logs.ts'
import type { RoomsEngine } from './engine.ts'

export function limitsSuite({ createStorage }: RoomsEngine): void {
  test('a user has at most 500 rooms', async () => {
    await using storage = await createStorage()
    await using actions = await storage.open()
    const [ada, bob] = await actions.users('ada', 'bob')
    const attempts = await Promise.allSettled(Array.from({ length: 510 }, () => actions.create(ada)))
    const rooms = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []))
    expect(rooms).toHaveLength(500)
    expect(await actions.create(ada).catch(({ code }) => code)).toBe('room-limit-exceeded')
    expect(await actions.direct(bob, 'ada').catch(({ code }) => code)).toBe('room-limit-exceeded')
    await actions.remove(ada, rooms[0] as string, 'ada')
    expect(await actions.create(ada)).toBeString()
  }, 60_000)

  test('in a room with more than 200 members, only the user concerned receives the event, also in a resume', async () => {
    await using storage = await createStorage()
    await using actions = await storage.open()
    const [ada, bob, eve] = await actions.users('ada', 'bob', 'eve')
    const members = ['bob', ...Array.from({ length: 198 }, (_, index) => `member-${index}`)]
    await Promise.all(members.slice(1).map(actions.user))
    const start = actions.log.head()
    const room = await actions.create(ada, { members })
    expect((await actions.resume(bob, start, 300)).entries).toHaveLength(199)
    const head = actions.log.head()
    await actions.add(ada, room, 'eve')
    await actions.add(ada, room, 'eve', 'owner')
    await actions.remove(eve, room, 'eve')
    await actions.remove(bob, room, 'bob')
    expect((await actions.resume(ada, head)).entries).toEqual(['left bob'])
    expect((await actions.resume(eve, head)).entries).toEqual([
      'joined eve member',
      'joined eve owner',
      'left eve',
    ])
    expect((await actions.resume(bob, head)).entries).toEqual(['left bob'])
  }, 60_000)
}

export function retentionSuite({ createStorage }: RoomsEngine): void {
  describe('retention', () => {
    test('by count treats the messages to all users and the rooms apart, and names each room with a gap', async () => {
      await using storage = await createStorage()
      let head = ''
      let [ada, bob] = [
        { id: '', username: '' },
        { id: '', username: '' },
      ]
      let [busy, quiet] = ['', '']
      {
        await using actions = await storage.open()
        ;[ada, bob] = await actions.users('ada', 'bob')
        busy = await actions.create(ada, { members: ['bob'] })
        for (let index = 0; index < 5; index++) await actions.send(ada, `to all ${index}`)
        head = actions.log.head()
        for (let index = 0; index < 40; index++) await actions.send(ada, `busy ${index}`, busy)
        quiet = await actions.create(ada, { members: ['bob'] })
        for (let index = 0; index < 8; index++) await actions.send(ada, `quiet ${index}`, quiet)
      }
      await using trimmed = await storage.open({ retentionCount: 10 })
      await until(async () => (await trimmed.history(busy, ada))?.length === 0)
      const { messages } = (await trimmed.log.readAfter(undefined, 100)) as Page
      expect(messages).toHaveLength(5)
      const { gaps, entries } = await trimmed.resume(bob, head)
      expect(gaps).toEqual([busy])
      expect(entries).toEqual(
        ['joined ada owner', 'joined bob member', ...quietTexts(8)].slice(-entries.length),
      )
      expect(entries).toContain('quiet 7')
      expect(await trimmed.history(busy, ada, { after: head })).toBe('gone')
      expect(await trimmed.history(quiet, ada)).toEqual(quietTexts(8))
    })

    test('never assigns the id of a removed entry again', async () => {
      await using storage = await createStorage()
      let [head, room] = ['', '']
      let ada = { id: '', username: '' }
      {
        await using actions = await storage.open()
        ada = await actions.user('ada')
        room = await actions.create(ada)
        for (let index = 0; index < 3; index++) head = await actions.send(ada, `${index}`, room)
        await actions.remove(ada, room, 'ada')
        head = actions.log.head()
      }
      await using again = await storage.open({ retentionCount: 1 })
      expect(again.log.head()).toBe(head)
      const other = await again.create(ada)
      expect((await again.send(ada, 'new', other)) > head).toBe(true)
    })
  })
}

const quietTexts = (count: number) => Array.from({ length: count }, (_, index) => `quiet ${index}`)
