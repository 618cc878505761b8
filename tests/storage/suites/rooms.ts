import { describe, expect, test } from 'bun:test'
import type { Page } from '../../../src/chats/message-log.ts'
import { until } from '../support/message-logs.ts'
import type { RoomActions } from '../support/rooms.ts'

interface RetentionOptions {
  readonly retentionDays?: number
  readonly retentionCount?: number
}

export interface RoomsStorage extends AsyncDisposable {
  /** Opens the storage, which can be opened again once it has been disposed. */
  open(options?: RetentionOptions): Promise<RoomActions & AsyncDisposable>
}

export interface RoomsEngine {
  readonly name: string
  /** The number of nodes that can open the storage at the same time; 1 by default. */
  readonly nodes?: number
  /** Creates an empty storage. Disposing it removes it. */
  createStorage(): Promise<RoomsStorage>
}

/** The guarantees of the rooms in `MessageLog` and `Rooms`, for every engine. */
export function roomsSuite(engine: RoomsEngine): void {
  describe(`the rooms in ${engine.name}`, () => {
    membersSuite(engine)
    ownersSuite(engine)
    directSuite(engine)
    historySuite(engine)
    resumeSuite(engine)
    limitsSuite(engine)
    retentionSuite(engine)
  })
}

function membersSuite({ createStorage }: RoomsEngine): void {
  describe('membership', () => {
    test('decides about a message at its place in the log, also within one batch', async () => {
      await using storage = await createStorage()
      await using actions = await storage.open()
      const [ada, bob] = [await actions.user('ada'), await actions.user('bob')]
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
      const [ada, bob, eve] = [
        await actions.user('ada'),
        await actions.user('bob'),
        await actions.user('eve'),
      ]
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
      const [ada, bob] = [await actions.user('ada'), await actions.user('bob')]
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
        ada = await actions.user('ada')
        bob = await actions.user('bob')
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
      const [ada, bob] = [await actions.user('ada'), await actions.user('bob')]
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

function ownersSuite({ createStorage }: RoomsEngine): void {
  describe('owners', () => {
    test('are succeeded by the member of longest standing, and the last member takes the room along', async () => {
      await using storage = await createStorage()
      await using actions = await storage.open()
      const [ada, bob, eve] = [
        await actions.user('ada'),
        await actions.user('bob'),
        await actions.user('eve'),
      ]
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
      const [ada, bob] = [await actions.user('ada'), await actions.user('bob')]
      const room = await actions.create(ada)
      await actions.add(ada, room, 'bob', 'owner')
      const outcomes = await Promise.all([actions.remove(ada, room, 'bob'), actions.remove(bob, room, 'ada')])
      expect(outcomes).toEqual(['ok', 'not-found'])
      expect(await actions.roles(room, ada)).toEqual({ ada: 'owner' })
    })

    test('change roles, but a room keeps an owner', async () => {
      await using storage = await createStorage()
      await using actions = await storage.open()
      const [ada, bob] = [await actions.user('ada'), await actions.user('bob')]
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

function directSuite({ createStorage }: RoomsEngine): void {
  describe('a direct room', () => {
    test('is one room for both, which neither owns', async () => {
      await using storage = await createStorage()
      await using actions = await storage.open()
      const [ada, bob] = [await actions.user('ada'), await actions.user('bob')]
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
      const [ada, bob] = [await actions.user('ada'), await actions.user('bob')]
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
      const [ada] = [await actions.user('ada'), await actions.user('bob')]
      const change = { kind: 'open-direct', by: ada, username: 'bob', mayCreate: false } as const
      expect(await actions.log.change(change)).toEqual({})
      expect(await actions.roomsOf(ada)).toEqual([])
    })
  })
}

function historySuite({ createStorage }: RoomsEngine): void {
  describe('the history', () => {
    test('shows everything, or the times of the membership, or nothing', async () => {
      await using storage = await createStorage()
      await using actions = await storage.open()
      const [ada, bob, eve] = [
        await actions.user('ada'),
        await actions.user('bob'),
        await actions.user('eve'),
      ]
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
      const [ada, bob] = [await actions.user('ada'), await actions.user('bob')]
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
      const [ada, bob] = [await actions.user('ada'), await actions.user('bob')]
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

function resumeSuite({ createStorage }: RoomsEngine): void {
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
      const [ada, bob] = [await actions.user('ada'), await actions.user('bob')]
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
      const [ada, bob] = [await actions.user('ada'), await actions.user('bob')]
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

function limitsSuite({ createStorage }: RoomsEngine): void {
  test('a user has at most 500 rooms', async () => {
    await using storage = await createStorage()
    await using actions = await storage.open()
    const [ada, bob] = [await actions.user('ada'), await actions.user('bob')]
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
    const [ada, bob, eve] = [await actions.user('ada'), await actions.user('bob'), await actions.user('eve')]
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

function retentionSuite({ createStorage }: RoomsEngine): void {
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
        ada = await actions.user('ada')
        bob = await actions.user('bob')
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
