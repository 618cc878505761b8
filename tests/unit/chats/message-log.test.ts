import { Database as Sqlite } from 'bun:sqlite'
import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { IdempotencyKeyReused, type Page, parseFrame } from '../../../src/chats/message-log.ts'
import { openSqliteMessageLog } from '../../../src/chats/sqlite-message-log.ts'
import { openDatabase } from '../../../src/database/open-database.ts'
import { StorageUnavailable } from '../../../src/database/storage.ts'
import { temporaryFolder } from '../support/service.ts'

const user = { id: 'u1', username: 'someone' }
const dayMs = 86_400_000

function openLog(path: string, { retentionCount = 1_000_000, retentionDays = 30 } = {}) {
  const database = openDatabase(path)
  const options = { queries: database.queries, retentionDays, retentionCount, onError() {} }
  const log = openSqliteMessageLog(options)
  const broadcast: { id: string; message: string }[] = []
  log.subscribe(({ id, frame }) => broadcast.push({ id, message: parseFrame(frame).message }))
  return {
    log,
    broadcast,
    append: (message: string, idempotencyKey?: string, author = user) =>
      log.append({ user: author, message, idempotencyKey }),
    /** Sets all that is stored back in time. */
    age: (days: number) => database.queries.run(`update messages set sent_at = sent_at - ${days * dayMs}`),
    count: () => database.queries.all<{ n: number }>('select count(*) as n from messages')[0]?.n,
    async [Symbol.asyncDispose]() {
      await log.flush()
      log.close()
      database.close()
    },
  }
}

async function texts(page: Page | 'gone' | Promise<Page | 'gone'>): Promise<string[] | 'gone'> {
  const settled = await page
  return settled === 'gone' ? 'gone' : settled.messages.map(({ frame }) => parseFrame(frame).message)
}

const numbered = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `m${from + i}`)

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await Bun.sleep(5)
}

test('the order of sending is the order of commit, of broadcast and of reading, in one batch and across', async () => {
  await using folder = await temporaryFolder()
  await using opened = openLog(folder.path)
  const messages = numbered(1, 1500)
  await Promise.all(messages.map((message) => opened.append(message)))
  await opened.append('last')
  expect(opened.broadcast.map(({ message }) => message)).toEqual([...messages, 'last'])
  const ids = opened.broadcast.map(({ id }) => id)
  expect(ids.toSorted()).toEqual(ids)
  expect(await texts(opened.log.readAfter(undefined, 2000))).toEqual([...messages, 'last'])
})

test('a page tells whether there is more, in either direction', async () => {
  await using folder = await temporaryFolder()
  await using opened = openLog(folder.path)
  await Promise.all(numbered(1, 10).map((message) => opened.append(message)))
  const ids = opened.broadcast.map(({ id }) => id) as string[]
  const read = async (page: Page | 'gone' | Promise<Page | 'gone'>) => [
    await texts(page),
    ((await page) as Page).more,
  ]
  expect(await read(opened.log.readAfter(undefined, 3))).toEqual([numbered(1, 3), true])
  expect(await read(opened.log.readAfter(ids[6], 3))).toEqual([numbered(8, 10), false])
  expect(await read(opened.log.readAfter(ids[5], 3))).toEqual([numbered(7, 9), true])
  expect(await read(opened.log.readAfter(ids[9], 3))).toEqual([[], false])
  expect(await read(opened.log.readBefore(undefined, 3))).toEqual([numbered(8, 10), true])
  expect(await read(opened.log.readBefore(ids[3], 3))).toEqual([numbered(1, 3), false])
  expect(await read(opened.log.readBefore(ids[0], 3))).toEqual([[], false])
})

describe('a cursor that the log cannot continue from', () => {
  test('is one of another log, of the future, or malformed', async () => {
    await using folder = await temporaryFolder()
    await using other = await temporaryFolder()
    await using opened = openLog(folder.path)
    await using foreign = openLog(other.path)
    for (const message of numbered(1, 3)) {
      await opened.append(message)
      await foreign.append(message)
    }
    const own = opened.broadcast[2]?.id as string
    const [incarnation] = own.split('-')
    const cursors = [
      foreign.broadcast[0]?.id as string,
      `${incarnation}-0000000000a`,
      `${incarnation}-zzzzzzzzzzz`,
      `${incarnation}-00000000001x`,
      `${incarnation}-1`,
      `${incarnation}-0000000000A`,
      own.toUpperCase(),
      'a',
      '-',
    ]
    for (const cursor of cursors) {
      if (cursor === own) continue
      expect(await opened.log.readAfter(cursor, 10)).toBe('gone')
      expect(await opened.log.readBefore(cursor, 10)).toBe('gone')
    }
    expect(await texts(opened.log.readAfter(`${incarnation}-00000000000`, 10))).toEqual(numbered(1, 3))
  })

  test('is one older than what is kept; the last that was removed still leads on', async () => {
    await using folder = await temporaryFolder()
    let ids: string[]
    {
      await using opened = openLog(folder.path)
      for (const message of numbered(1, 10)) await opened.append(message)
      ids = opened.broadcast.map(({ id }) => id)
    }
    await using opened = openLog(folder.path, { retentionCount: 4 })
    await until(() => opened.count() === 4)
    expect(await opened.log.readAfter(ids[4], 10)).toBe('gone')
    expect(await texts(opened.log.readAfter(ids[5], 10))).toEqual(numbered(7, 10))
    expect(await texts(opened.log.readAfter(undefined, 10))).toEqual(numbered(7, 10))
    expect(await texts(opened.log.readBefore(ids[2], 10))).toEqual([])
  })
})

describe('retention', () => {
  test('by count trims in steps until it fits, oldest first', async () => {
    await using folder = await temporaryFolder()
    {
      await using opened = openLog(folder.path)
      await Promise.all(numbered(1, 2100).map((message) => opened.append(message)))
    }
    await using opened = openLog(folder.path, { retentionCount: 100 })
    const steps = new Set<number | undefined>()
    await until(() => {
      steps.add(opened.count())
      return opened.count() === 100
    })
    expect([...steps].some((count = 0) => count > 100 && count < 2100)).toBe(true)
    expect(await texts(opened.log.readAfter(undefined, 200))).toEqual(numbered(2001, 2100))
  })

  test('by days removes what is older, all of it if need be, and gives no id a second time', async () => {
    await using folder = await temporaryFolder()
    let ids: string[]
    {
      await using opened = openLog(folder.path)
      await Promise.all(numbered(1, 700).map((message) => opened.append(message)))
      opened.age(31)
      ids = opened.broadcast.map(({ id }) => id)
    }
    {
      await using opened = openLog(folder.path)
      expect(opened.log.head()).toBe(ids.at(-1) as string)
      await until(() => opened.count() === 0)
      expect(opened.log.head()).toBe(ids.at(-1) as string)
      expect(await texts(opened.log.readAfter(ids.at(-1), 10))).toEqual([])
      expect(await texts(opened.log.readAfter(undefined, 10))).toEqual([])
      expect(await opened.log.readAfter(ids.at(-2), 10)).toBe('gone')
    }
    await using opened = openLog(folder.path)
    expect(opened.log.head()).toBe(ids.at(-1) as string)
    await opened.append('after all were removed')
    const [next] = opened.broadcast
    expect(ids).not.toContain(next?.id as string)
    expect((next?.id as string) > (ids.at(-1) as string)).toBe(true)
    expect(await texts(opened.log.readAfter(ids.at(-1), 10))).toEqual(['after all were removed'])
  })

  test('by days keeps what is younger', async () => {
    await using folder = await temporaryFolder()
    {
      await using opened = openLog(folder.path)
      await Promise.all(numbered(1, 2).map((message) => opened.append(message)))
      opened.age(2)
      await Promise.all(numbered(3, 5).map((message) => opened.append(message)))
      opened.age(29)
    }
    await using opened = openLog(folder.path, { retentionDays: 30 })
    await until(() => opened.count() !== 5)
    expect(await texts(opened.log.readAfter(undefined, 10))).toEqual(numbered(3, 5))
  })

  test('frees the keys of what it removes', async () => {
    await using folder = await temporaryFolder()
    {
      await using opened = openLog(folder.path)
      await opened.append('first', 'key')
      await opened.append('second')
    }
    await using opened = openLog(folder.path, { retentionCount: 1 })
    await until(() => opened.count() === 1)
    await opened.append('another', 'key')
    expect(opened.broadcast.map(({ message }) => message)).toEqual(['another'])
  })
})

describe('an idempotency key', () => {
  test('makes sending twice sending once, within one batch and across', async () => {
    await using folder = await temporaryFolder()
    await using opened = openLog(folder.path)
    await Promise.all(Array.from({ length: 20 }, () => opened.append('once', 'key')))
    await opened.append('once', 'key')
    await opened.append('once')
    expect(opened.broadcast.map(({ message }) => message)).toEqual(['once', 'once'])
  })

  test('with another message is refused, and the rest of its batch is not', async () => {
    await using folder = await temporaryFolder()
    await using opened = openLog(folder.path)
    const results = await Promise.allSettled([
      opened.append('a', 'key'),
      opened.append('b', 'key'),
      opened.append('c'),
      opened.append('a', 'key'),
    ])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
    expect((results[1] as PromiseRejectedResult).reason).toBeInstanceOf(IdempotencyKeyReused)
    expect(opened.broadcast.map(({ message }) => message)).toEqual(['a', 'c'])
    expect(opened.append('b', 'key')).rejects.toBeInstanceOf(IdempotencyKeyReused)
  })

  test("is its user's own, and outlives a restart", async () => {
    await using folder = await temporaryFolder()
    {
      await using opened = openLog(folder.path)
      await opened.append('mine', 'key')
      await opened.append('theirs', 'key', { id: 'u2', username: 'other' })
      expect(opened.broadcast).toHaveLength(2)
    }
    await using opened = openLog(folder.path)
    await opened.append('mine', 'key')
    expect(opened.broadcast).toHaveLength(0)
    expect(opened.append('another', 'key')).rejects.toBeInstanceOf(IdempotencyKeyReused)
  })
})

test('a commit that fails refuses all that it holds, broadcasts nothing, and leaves no gap behind', async () => {
  await using folder = await temporaryFolder()
  await using opened = openLog(folder.path)
  await opened.append('before')
  const locker = new Sqlite(join(folder.path, 'parley.sqlite'))
  locker.run('begin immediate')
  const results = await Promise.allSettled(numbered(1, 5).map((message) => opened.append(message, message)))
  for (const result of results) {
    expect((result as PromiseRejectedResult).reason).toBeInstanceOf(StorageUnavailable)
  }
  expect(opened.broadcast.map(({ message }) => message)).toEqual(['before'])
  locker.run('rollback')
  locker.close()
  await opened.append('m3', 'm3')
  expect(opened.broadcast.map(({ message }) => message)).toEqual(['before', 'm3'])
  expect(await texts(opened.log.readAfter(opened.broadcast[0]?.id, 10))).toEqual(['m3'])
})

test('a commit that fails takes no other with it, and flush waits for both', async () => {
  await using folder = await temporaryFolder()
  await using opened = openLog(folder.path)
  const locker = new Sqlite(join(folder.path, 'parley.sqlite'))
  locker.run('begin immediate')
  // More than one commit takes; the lock is given back once the first has failed.
  const messages = numbered(1, 700)
  let failed = 0
  const settled = messages.map((message) =>
    opened.append(message).catch((error) => {
      expect(error).toBeInstanceOf(StorageUnavailable)
      if (failed++ === 0) locker.run('rollback')
    }),
  )
  await opened.log.flush()
  expect(failed).toBeGreaterThan(0)
  expect(failed).toBeLessThan(700)
  expect(opened.broadcast.map(({ message }) => message)).toEqual(messages.slice(failed))
  expect(await texts(opened.log.readAfter(undefined, 700))).toEqual(messages.slice(failed))
  await Promise.all(settled)
  locker.close()
})

test('flush settles when all that was appended has been', async () => {
  await using folder = await temporaryFolder()
  await using opened = openLog(folder.path)
  for (const message of numbered(1, 1200)) void opened.append(message)
  await opened.log.flush()
  expect(opened.broadcast).toHaveLength(1200)
})
