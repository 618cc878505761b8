import { describe, expect, test } from 'bun:test'
import type { RoomsEngine } from './engine.ts'

export function historySuite({ createStorage }: RoomsEngine): void {
  describe('the history', () => {
    test('shows everything, or the times of the membership, or nothing', async () => {
      await using storage = await createStorage()
      await using actions = await storage.open()
      const [ada, bob, eve] = await actions.users('ada', 'bob', 'eve')
      const all = await actions.create(ada, { history: 'all' })
      const joined = await actions.create(ada, { history: 'joined' })
      const open = await actions.create(ada, { public: true, history: 'all' })
      for (const room of [all, joined, open]) {
        for (const step of [1, 2]) {
          await actions.send(ada, `before ${step}`, room)
          await actions.add(ada, room, 'bob')
          await actions.send(bob, `while ${step}`, room)
          if (step === 1) await actions.remove(ada, room, 'bob')
        }
      }
      const everything = ['before 1', 'while 1', 'before 2', 'while 2']
      expect(await actions.history(all, bob)).toEqual(everything)
      expect(await actions.history(joined, ada)).toEqual(everything)
      expect(await actions.history(joined, bob)).toEqual(['while 1', 'while 2'])
      expect(await actions.history(open, eve)).toEqual(everything)
      expect(await actions.history(all, eve)).toBeUndefined()
      await actions.remove(ada, all, 'bob')
      expect(await actions.history(all, bob)).toBeUndefined()
      // The messages to all users are a history of their own.
      expect(await actions.log.readBefore(undefined, 10)).toMatchObject({ messages: [] })
    })

    test('is read in pages in both directions, and single messages only by readers who may see them', async () => {
      await using storage = await createStorage()
      await using actions = await storage.open()
      const [ada, bob] = await actions.users('ada', 'bob')
      const room = await actions.create(ada, { history: 'joined' })
      const ids: string[] = []
      for (const text of ['1', '2', '3', '4', '5']) {
        ids.push(await actions.send(ada, text, room))
        await actions.send(ada, 'to all')
      }
      const [first = '', , third = '', , last = ''] = ids
      const read = async (range: { after?: string; before?: string }) => {
        const page = await actions.log.readHistory(room, ada.id, { ...range, limit: 2 })
        if (page === 'gone' || !page) return page
        return [...page.messages.map(({ frame }) => JSON.parse(frame).message), page.more]
      }
      expect(await read({})).toEqual(['4', '5', true])
      expect(await read({ before: third })).toEqual(['1', '2', false])
      expect(await read({ after: first })).toEqual(['2', '3', true])
      expect(await read({ after: third })).toEqual(['4', '5', false])
      expect(await read({ after: 'elsewher-0000000002a' })).toBe('gone')
      expect((await actions.log.read(last, ada.id))?.id).toBe(last)
      expect(await actions.log.read(last, bob.id)).toBeUndefined()
      await actions.add(ada, room, 'bob')
      expect(await actions.log.read(last, bob.id)).toBeUndefined()
    })

    test('of a user who erases the messages has none of them in any room', async () => {
      await using storage = await createStorage()
      await using actions = await storage.open()
      const [ada, bob] = await actions.users('ada', 'bob')
      const room = await actions.create(ada, { members: ['bob'] })
      await actions.send(bob, 'erased', room)
      await actions.send(ada, 'kept', room)
      await actions.log.eraseMessagesOf(bob.id)
      expect(await actions.history(room, ada)).toEqual(['kept'])
    })

    test('stores a message once for a key in each room', async () => {
      await using storage = await createStorage()
      await using actions = await storage.open()
      const ada = await actions.user('ada')
      const [one, two] = [await actions.create(ada, {}, 'create'), await actions.create(ada, { name: 'two' })]
      expect(await actions.create(ada, {}, 'create')).toBe(one)
      expect(await actions.create(ada, { name: 'other' }, 'create').catch(({ code }) => code)).toBe(
        'idempotency-key-reused',
      )
      const sent = await actions.send(ada, 'text', one, 'key')
      expect(await actions.send(ada, 'text', one, 'key')).toBe(sent)
      expect(await actions.send(ada, 'another', one, 'key')).toBe('idempotency-key-reused')
      expect(await actions.send(ada, 'text', two, 'key')).not.toBe(sent)
      expect(await actions.send(ada, 'text', undefined, 'key')).not.toBe(sent)
      expect(await actions.history(one, ada)).toEqual(['text'])
    })
  })
}
