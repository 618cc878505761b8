import { Database as Sqlite } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { copyFileSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { openSqliteMessageLog } from '../../../../src/chats/message-log.sqlite.ts'
import { type MessageLog, type NewMessage, outcomeOf, parseFrame } from '../../../../src/chats/message-log.ts'
import { type LostStorage, OutcomeUnknown, StorageUnavailable } from '../../../../src/storage/errors.ts'
import { createChangeCounter } from '../../../../src/storage/sqlite/change-counter.ts'
import { databaseFile, openSqlite } from '../../../../src/storage/sqlite/connection.ts'
import { openWal } from '../../../../src/storage/sqlite/wal.ts'
import { createSqliteUsers } from '../../../../src/users/users.sqlite.ts'
import { temporaryFolder } from '../../support/service.ts'

const author = { id: 'u1', username: 'someone' }

/** @param flush replaces the flush of a disk that is never slow */
function openAll(path: string, flush?: () => Promise<void>) {
  const lost: LostStorage[] = []
  const connection = openSqlite(path, {
    onLost: (error) => void lost.push(error),
    openWal: (file) => ({ ...openWal(file), ...(flush && { flush }) }),
  })
  const { queries, write, commit } = connection
  const options = { retentionDays: 30, retentionCount: 1000, onError() {} }
  const log = openSqliteMessageLog({ queries, write, commit, ...options })
  const received: string[] = []
  log.subscribe(({ frame }) => void received.push(textOf(frame)))
  return {
    lost,
    connection,
    log,
    received,
    users: createSqliteUsers({ queries, write, changes: createChangeCounter(queries.$client) }),
    async append(message: string, idempotencyKey?: string): Promise<string> {
      const entry: NewMessage = { user: author, message, idempotencyKey }
      await log.append(entry)
      return outcomeOf(entry).id
    },
    async [Symbol.asyncDispose]() {
      await log.flush()
      log.close()
      connection.close()
    },
  }
}

const textOf = (frame: string) => parseFrame(frame).message

/** What each read of the log returns. */
async function readAll(log: MessageLog, ids: readonly string[]) {
  const view = { userId: author.id }
  const pages = await Promise.all([
    log.readAfter(undefined, 10),
    log.readAfter(log.head(), 10),
    log.readAfter(undefined, 10, view),
    log.readBefore(undefined, 10),
  ])
  const single = await Promise.all(ids.map((id) => log.read(id, author.id)))
  const texts = (messages: readonly { frame: string }[]) => messages.map(({ frame }) => textOf(frame))
  const [all, afterHead, seen, newest] = pages.map((page) =>
    typeof page === 'string' ? page : texts(page.messages),
  )
  return { all, afterHead, seen, newest, single: texts(single.filter((each) => each !== undefined)) }
}

/** A disk that stores what it has received when the test says so. */
function createDisk() {
  const flushes: PromiseWithResolvers<void>[] = []
  let requested = Promise.withResolvers<void>()
  return {
    flush(): Promise<void> {
      const flush = Promise.withResolvers<void>()
      flushes.push(flush)
      requested.resolve()
      requested = Promise.withResolvers()
      return flush.promise
    },
    /** Resolves at the next flush. */
    requested: () => requested.promise,
    store: () => flushes.shift()?.resolve(),
    fail: () =>
      flushes.shift()?.reject(Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' })),
    pending: () => flushes.length,
  }
}

test('a message is confirmed, delivered and read only when the disk has stored it', async () => {
  await using folder = await temporaryFolder()
  const disk = createDisk()
  await using opened = openAll(folder.path, disk.flush)
  const head = opened.log.head()
  let confirmed: string | undefined

  const [requested, appended] = [disk.requested(), opened.append('hello')]
  void appended.then((id) => {
    confirmed = id
  })
  await requested
  // Other connections find it already, so that the log has to hold it back.
  const inFile = 'select count(*) as n from messages'
  expect(opened.connection.queries.$client.query(inFile).get()).toEqual({ n: 1 })
  const [stored] = opened.connection.queries.all<{ frame: string }>('select frame from messages')
  const { id } = parseFrame(stored?.frame ?? '')
  const nothing = { all: [], afterHead: [], seen: [], newest: [], single: [] }
  expect(await readAll(opened.log, [id])).toEqual(nothing)
  expect(opened.log.head()).toBe(head)
  expect(opened.received).toEqual([])
  expect(confirmed).toBeUndefined()

  disk.store()
  expect(await appended).toBe(id)
  const everything = { all: ['hello'], afterHead: [], seen: ['hello'], newest: ['hello'], single: ['hello'] }
  expect(await readAll(opened.log, [id])).toEqual(everything)
  expect(opened.log.head()).toBe(id)
  expect(opened.received).toEqual(['hello'])
})

test('messages that arrive during a flush follow in one commit, and other changes do not wait for it', async () => {
  await using folder = await temporaryFolder()
  const disk = createDisk()
  await using opened = openAll(folder.path, disk.flush)
  const first = disk.requested()
  const appended = [opened.append('1')]
  await first
  appended.push(opened.append('2'), opened.append('3'), opened.append('3 again', 'key'))
  const account = await opened.users.add('someone', 'a hash')
  expect(account?.username).toBe('someone')
  expect(disk.pending()).toBe(1)

  const second = disk.requested()
  disk.store()
  await second
  expect(opened.received).toEqual(['1'])
  disk.store()
  await Promise.all(appended)
  expect(opened.received).toEqual(['1', '2', '3', '3 again'])
})

test('after a power failure, every confirmed message is there', async () => {
  await using folder = await temporaryFolder()
  const copies: string[] = []
  const source = join(folder.path, 'data')
  mkdirSync(source)
  /** Copies what has been written when the flush begins. Nothing else is certain to be on the disk when it ends. */
  async function flush(): Promise<void> {
    const copy = join(folder.path, String(copies.length))
    mkdirSync(copy)
    for (const suffix of ['', '-wal']) {
      copyFileSync(databaseFile(source) + suffix, databaseFile(copy) + suffix)
    }
    await Bun.sleep(1)
    copies.push(copy)
  }
  const confirmed: { readonly text: string; readonly copy: string | undefined }[] = []
  {
    await using opened = openAll(source, flush)
    const senders = Array.from({ length: 5 }, async (_, sender) => {
      for (let index = 0; index < 20; index++) {
        const text = `${sender}/${index}`
        await opened.append(text)
        confirmed.push({ text, copy: copies.at(-1) })
      }
    })
    await Promise.all(senders)
  }
  expect(confirmed).toHaveLength(100)
  const storedIn = new Map<string | undefined, readonly string[]>()
  for (const copy of copies) {
    using sqlite = new Sqlite(databaseFile(copy))
    expect(sqlite.query('pragma integrity_check').values()).toEqual([['ok']])
    const rows = sqlite.query<{ frame: string }, []>('select frame from messages').all()
    storedIn.set(
      copy,
      rows.map(({ frame }) => textOf(frame)),
    )
  }
  const missing = confirmed.filter(({ text, copy }) => !storedIn.get(copy)?.includes(text))
  expect(missing).toEqual([])
})

test('if the disk fails, no outcome is invented, and nothing is stored until a restart', async () => {
  await using folder = await temporaryFolder()
  const disk = createDisk()
  {
    await using opened = openAll(folder.path, disk.flush)
    const first = disk.requested()
    const before = opened.append('before', 'first key')
    await first
    disk.store()
    await before

    const second = disk.requested()
    const during = opened.append('during', 'key')
    await second
    const waiting = opened.append('waiting')
    disk.fail()
    expect(during).rejects.toBeInstanceOf(OutcomeUnknown)
    expect(waiting).rejects.toBeInstanceOf(StorageUnavailable)
    await Promise.allSettled([during, waiting])
    expect(opened.append('after')).rejects.toBeInstanceOf(StorageUnavailable)
    expect(() => opened.users.add('someone', 'a hash')).toThrow(StorageUnavailable)
    expect(opened.connection.unmet()).toEqual(['storage-lost'])
    expect(opened.received).toEqual(['before'])
    expect((await readAll(opened.log, [])).all).toEqual(['before'])
    expect(opened.lost.map(({ message }) => message)).toEqual([
      'The disk did not store the last changes (EIO: i/o error, fdatasync). The service refuses to store anything ' +
        'until it is restarted. Check the disk, and restart the service.',
    ])
  }
  await using opened = openAll(folder.path)
  const before = await opened.append('before', 'first key')
  const during = await opened.append('during', 'key')
  expect((await readAll(opened.log, [before, during])).all).toEqual(['before', 'during'])
})

test('files that disappear during a flush are noticed before anything is confirmed', async () => {
  await using folder = await temporaryFolder()
  const disk = createDisk()
  await using opened = openAll(folder.path, disk.flush)
  const [requested, appended] = [disk.requested(), opened.append('hello')]
  await requested
  rmSync(databaseFile(folder.path))
  disk.store()
  expect(appended).rejects.toBeInstanceOf(StorageUnavailable)
  await Promise.allSettled([appended])
  expect(opened.received).toEqual([])
})

test('SQLite flushes all changes but those of a commit itself', async () => {
  await using folder = await temporaryFolder()
  const disk = createDisk()
  await using opened = openAll(folder.path, disk.flush)
  const { queries, write, commit } = opened.connection
  const [full, normal] = [2, 1]
  const synchronous = () => queries.$client.query('pragma synchronous').values()[0]?.[0]
  expect(write(synchronous)).toBe(full)
  const committed = commit(synchronous)
  expect(write(synchronous)).toBe(full)
  disk.store()
  expect(await committed).toBe(normal)
  const fail = () => {
    throw new Error('a fault of the program')
  }
  expect(() => commit(fail)).toThrow('a fault of the program')
  expect([write(synchronous), disk.pending(), opened.connection.unmet()]).toEqual([full, 0, []])
})

test('what a killed process has left in the WAL is in the database file after the start', async () => {
  await using folder = await temporaryFolder()
  const [source, copy] = [join(folder.path, 'data'), join(folder.path, 'copy')]
  mkdirSync(source)
  mkdirSync(copy)
  {
    await using opened = openAll(source)
    await opened.append('hello')
    for (const suffix of ['', '-wal']) {
      copyFileSync(databaseFile(source) + suffix, databaseFile(copy) + suffix)
    }
  }
  expect(Bun.file(`${databaseFile(copy)}-wal`).size).toBeGreaterThan(0)
  await using opened = openAll(copy)
  expect(Bun.file(`${databaseFile(copy)}-wal`).size).toBe(0)
  expect((await readAll(opened.log, [])).all).toEqual(['hello'])
})
