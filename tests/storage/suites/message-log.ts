import { describe, expect, test } from 'bun:test'
import { IdempotencyKeyReused, type Page, type ReadResult } from '../../../src/chats/message-log.ts'
import { author, countStored, numbered, type observeLog, textsOf, until } from '../support/message-logs.ts'

interface RetentionOptions {
  readonly retentionDays?: number
  readonly retentionCount?: number
}

/** A log whose broadcasts are recorded. Disposing it flushes and closes it, as the end of the process does. */
export interface ObservedLog extends ReturnType<typeof observeLog>, AsyncDisposable {}

export interface MessageLogStorage extends AsyncDisposable {
  /** Opens the log. It can be opened again once it has been disposed. */
  open(options?: RetentionOptions): Promise<ObservedLog>
}

export interface MessageLogEngine {
  readonly name: string
  /** Creates an empty storage. Disposing it removes it. */
  createStorage(): Promise<MessageLogStorage>
}

/** The guarantees of `MessageLog`, for every engine. */
export function messageLogSuite({ name, createStorage }: MessageLogEngine): void {
  describe(`the message log in ${name}`, () => {
    test('messages are committed, broadcast and read in the order of sending, within a batch and across batches', async () => {
      await using storage = await createStorage()
      await using opened = await storage.open()
      const messages = numbered(1, 1500)
      await Promise.all(messages.map((message) => opened.append(message)))
      await opened.append('last')
      expect(opened.broadcastTexts()).toEqual([...messages, 'last'])
      expect(opened.broadcastIds().toSorted()).toEqual(opened.broadcastIds())
      expect(await textsOf(opened.log.readAfter(undefined, 2000))).toEqual([...messages, 'last'])
    })

    test('a message is broadcast before its append resolves', async () => {
      await using storage = await createStorage()
      await using opened = await storage.open()
      for (const message of numbered(1, 3)) {
        await opened.append(message)
        expect(opened.broadcastTexts().at(-1)).toBe(message)
        expect(opened.log.head()).toBe(opened.broadcastIds().at(-1) as string)
      }
    })

    test('a listener that throws does not fail the append, and other listeners receive the message', async () => {
      await using storage = await createStorage()
      await using opened = await storage.open()
      opened.log.subscribe(() => {
        throw new Error('listener')
      })
      const received: string[] = []
      opened.log.subscribe(({ id }) => received.push(id))
      await opened.append('one')
      await opened.append('two')
      expect(opened.broadcastTexts()).toEqual(['one', 'two'])
      expect(received).toEqual(opened.broadcastIds())
    })

    test('a page says whether there are more messages, in both directions', async () => {
      await using storage = await createStorage()
      await using opened = await storage.open()
      const { log } = opened
      await Promise.all(numbered(1, 10).map((message) => opened.append(message)))
      const ids = opened.broadcastIds()
      const read = async (result: ReadResult) => [await textsOf(result), ((await result) as Page).more]
      expect(await read(log.readAfter(undefined, 3))).toEqual([numbered(1, 3), true])
      expect(await read(log.readAfter(ids[6], 3))).toEqual([numbered(8, 10), false])
      expect(await read(log.readAfter(ids[5], 3))).toEqual([numbered(7, 9), true])
      expect(await read(log.readAfter(ids[9], 3))).toEqual([[], false])
      expect(await read(log.readBefore(undefined, 3))).toEqual([numbered(8, 10), true])
      expect(await read(log.readBefore(ids[3], 3))).toEqual([numbered(1, 3), false])
      expect(await read(log.readBefore(ids[0], 3))).toEqual([[], false])
    })

    test('an empty log has no head and empty pages', async () => {
      await using storage = await createStorage()
      await using opened = await storage.open()
      // The head of an empty log is a cursor too: what follows it is everything.
      const head = opened.log.head()
      expect(await textsOf(opened.log.readAfter(head, 10))).toEqual([])
      expect(await textsOf(opened.log.readAfter(undefined, 10))).toEqual([])
      expect(await textsOf(opened.log.readBefore(undefined, 10))).toEqual([])
    })

    test('messages and the head survive a restart', async () => {
      await using storage = await createStorage()
      let head: string | undefined
      {
        await using opened = await storage.open()
        for (const message of numbered(1, 3)) await opened.append(message)
        head = opened.log.head()
      }
      await using opened = await storage.open()
      expect(opened.log.head()).toBe(head as string)
      expect(await textsOf(opened.log.readAfter(undefined, 10))).toEqual(numbered(1, 3))
      await opened.append('m4')
      expect(await textsOf(opened.log.readAfter(head, 10))).toEqual(['m4'])
    })

    describe('a cursor from which the log cannot continue', () => {
      test('is from another log, is later than the newest message, or is malformed', async () => {
        await using storage = await createStorage()
        await using otherStorage = await createStorage()
        await using opened = await storage.open()
        await using other = await otherStorage.open()
        for (const message of numbered(1, 3)) {
          await opened.append(message)
          await other.append(message)
        }
        const own = opened.broadcastIds()[2] as string
        const [epoch] = own.split('-')
        const cursors = [
          other.broadcastIds()[0] as string,
          `${epoch}-0000000000a`,
          `${epoch}-zzzzzzzzzzz`,
          `${epoch}-00000000001x`,
          `${epoch}-1`,
          `${epoch}-0000000000A`,
          own.toUpperCase(),
          'a',
          '-',
        ]
        for (const cursor of cursors) {
          // An epoch can consist of digits only, which have no upper case.
          if (cursor === own) continue
          expect(await opened.log.readAfter(cursor, 10)).toBe('gone')
          expect(await opened.log.readBefore(cursor, 10)).toBe('gone')
        }
        expect(await textsOf(opened.log.readAfter(`${epoch}-00000000000`, 10))).toEqual(numbered(1, 3))
      })

      test('is older than the newest removed message; that message itself is a valid cursor', async () => {
        await using storage = await createStorage()
        let ids: string[]
        {
          await using opened = await storage.open()
          for (const message of numbered(1, 10)) await opened.append(message)
          ids = opened.broadcastIds()
        }
        await using opened = await storage.open({ retentionCount: 4 })
        const { log } = opened
        await until(async () => (await countStored(log)) === 4)
        expect(await log.readAfter(ids[4], 10)).toBe('gone')
        expect(await textsOf(log.readAfter(ids[5], 10))).toEqual(numbered(7, 10))
        expect(await textsOf(log.readAfter(undefined, 10))).toEqual(numbered(7, 10))
        expect(await textsOf(log.readBefore(ids[2], 10))).toEqual([])
      })
    })

    describe('retention by count', () => {
      test('removes the oldest messages in steps until the rest fits', async () => {
        await using storage = await createStorage()
        {
          await using opened = await storage.open()
          await Promise.all(numbered(1, 2100).map((message) => opened.append(message)))
        }
        await using opened = await storage.open({ retentionCount: 100 })
        const counts = new Set<number>()
        await until(async () => {
          const count = await countStored(opened.log)
          counts.add(count)
          return count === 100
        })
        expect([...counts].some((count) => count > 100 && count < 2100)).toBe(true)
        expect(await textsOf(opened.log.readAfter(undefined, 200))).toEqual(numbered(2001, 2100))
      })

      test('makes the idempotency keys of removed messages available again', async () => {
        await using storage = await createStorage()
        {
          await using opened = await storage.open()
          await opened.append('first', 'key')
          await opened.append('second')
        }
        await using opened = await storage.open({ retentionCount: 1 })
        await until(async () => (await countStored(opened.log)) === 1)
        await opened.append('another', 'key')
        expect(opened.broadcastTexts()).toEqual(['another'])
      })
    })

    describe('an idempotency key', () => {
      test('stores a message once that is sent several times, within a batch and across batches', async () => {
        await using storage = await createStorage()
        await using opened = await storage.open()
        await Promise.all(Array.from({ length: 20 }, () => opened.append('once', 'key')))
        await opened.append('once', 'key')
        await opened.append('once')
        expect(opened.broadcastTexts()).toEqual(['once', 'once'])
      })

      test('is refused with another message, and the rest of the batch is stored', async () => {
        await using storage = await createStorage()
        await using opened = await storage.open()
        const results = await Promise.allSettled([
          opened.append('a', 'key'),
          opened.append('b', 'key'),
          opened.append('c'),
          opened.append('a', 'key'),
        ])
        const statuses = results.map(({ status }) => status)
        expect(statuses).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
        expect((results[1] as PromiseRejectedResult).reason).toBeInstanceOf(IdempotencyKeyReused)
        expect(opened.broadcastTexts()).toEqual(['a', 'c'])
        await expect(opened.append('b', 'key')).rejects.toBeInstanceOf(IdempotencyKeyReused)
      })

      test('belongs to one user and survives a restart', async () => {
        await using storage = await createStorage()
        {
          await using opened = await storage.open()
          await opened.append('mine', 'key')
          await opened.append('theirs', 'key', { id: 'u2', username: 'other' })
          expect(opened.broadcast).toHaveLength(2)
        }
        await using opened = await storage.open()
        await opened.append('mine', 'key')
        expect(opened.broadcast).toHaveLength(0)
        await expect(opened.append('another', 'key')).rejects.toBeInstanceOf(IdempotencyKeyReused)
      })
    })

    describe('messages that are removed one by one', () => {
      test('disappear from all reads, while every cursor stays valid and no position is reused', async () => {
        await using storage = await createStorage()
        let ids: string[]
        {
          await using opened = await storage.open()
          const { log } = opened
          for (const message of numbered(1, 10)) await opened.append(message)
          ids = opened.broadcastIds()
          const idOf = (sequence: number) => ids[sequence - 1] as string
          const removed = [1, 4, 5, 9, 10].map(idOf)
          expect([...(await log.remove([...removed, 'unknown', removed[0] as string]))].sort()).toEqual(
            removed,
          )
          expect(await log.remove(removed)).toEqual([])
          const kept = ['m2', 'm3', 'm6', 'm7', 'm8']
          expect(await textsOf(log.readAfter(undefined, 10))).toEqual(kept)
          expect(await textsOf(log.readBefore(undefined, 10))).toEqual(kept)
          expect(await textsOf(log.readAfter(idOf(4), 2))).toEqual(['m6', 'm7'])
          expect(await textsOf(log.readBefore(idOf(5), 10))).toEqual(['m2', 'm3'])
          for (const id of removed) expect(await log.read(id, 'reader')).toBeUndefined()
          expect(log.head()).toBe(idOf(10))
          expect(await textsOf(log.readAfter(idOf(10), 10))).toEqual([])
        }
        await using opened = await storage.open()
        expect(opened.log.head()).toBe(ids[9] as string)
        await opened.append('m11')
        expect((opened.broadcastIds()[0] as string) > (ids[9] as string)).toBe(true)
        expect(await textsOf(opened.log.readAfter(ids[8], 10))).toEqual(['m11'])
      })

      test('do not keep a page from reaching the end of the log', async () => {
        await using storage = await createStorage()
        await using opened = await storage.open()
        const { log } = opened
        for (const message of numbered(1, 6)) await opened.append(message)
        const ids = opened.broadcastIds()
        await log.remove([ids[2] as string, ids[4] as string, ids[5] as string])
        const read = async (cursor: string | undefined, limit: number) => {
          const { end, more } = (await log.readAfter(cursor, limit)) as Page
          return [end, more]
        }
        expect(await read(undefined, 2)).toEqual([ids[1], true])
        expect(await read(ids[1], 2)).toEqual([log.head(), false])
        expect(await read(ids[3], 2)).toEqual([log.head(), false])
        expect(await read(log.head(), 2)).toEqual([log.head(), false])
      })

      test('of one user are all erased, also those that are being appended, and no others', async () => {
        await using storage = await createStorage()
        await using opened = await storage.open()
        const other = { id: 'u2', username: 'another' }
        const texts = numbered(1, 5000)
        await Promise.all(texts.map((text, i) => opened.append(text, undefined, i % 3 ? author : other)))
        const last = opened.append('the last one of the erased user', 'key')
        await Promise.all([opened.log.eraseMessagesOf(author.id), last])
        const kept = texts.filter((_, i) => i % 3 === 0)
        expect(await textsOf(opened.log.readAfter(undefined, 10_000))).toEqual(kept)
      })

      test('of one user are all erased from a short log, also those that are being appended', async () => {
        await using storage = await createStorage()
        await using opened = await storage.open()
        await opened.append('one')
        await Promise.all([opened.append('two'), opened.log.eraseMessagesOf(author.id)])
        expect(await countStored(opened.log)).toBe(0)
      })
    })

    test('flush resolves once no append is pending', async () => {
      await using storage = await createStorage()
      await using opened = await storage.open()
      for (const message of numbered(1, 1200)) void opened.append(message)
      await opened.log.flush()
      expect(opened.broadcast).toHaveLength(1200)
    })
  })
}
