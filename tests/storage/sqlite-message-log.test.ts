import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { Glob } from 'bun'
import { StorageUnavailable } from '../../src/storage/errors.ts'
import { createFakeClock } from '../unit/support/fake-clock.ts'
import { temporaryFolder } from '../unit/support/service.ts'
import { countStored, numbered, textsOf, until } from './support/message-logs.ts'
import { openOtherConnection, openSqliteLog } from './support/sqlite.ts'

const dayMs = 86_400_000

type Opened = ReturnType<typeof openSqliteLog>

/** Makes all stored messages `days` older. */
const age = ({ queries }: Opened, days: number) =>
  queries.run(`update messages set sent_at = sent_at - ${days * dayMs}`)

/** Counts the rows, including any that the log no longer returns. */
const countRows = ({ queries }: Opened) =>
  queries.all<{ n: number }>('select count(*) as n from messages')[0]?.n

describe('retention by days', () => {
  test('removes old messages, even all of them, and never assigns an id again', async () => {
    await using folder = await temporaryFolder()
    let ids: string[]
    {
      await using opened = openSqliteLog(folder.path)
      await Promise.all(numbered(1, 700).map((message) => opened.append(message)))
      age(opened, 31)
      ids = opened.broadcastIds()
    }
    const last = ids.at(-1) as string
    {
      const clock = createFakeClock(Date.now())
      await using opened = openSqliteLog(folder.path, { clock })
      // Ages are measured once the service has run for a day.
      clock.advance(dayMs)
      expect(opened.log.head()).toBe(last)
      await until(() => countRows(opened) === 0)
      expect(opened.log.head()).toBe(last)
      expect(await textsOf(opened.log.readAfter(last, 10))).toEqual([])
      expect(await textsOf(opened.log.readAfter(undefined, 10))).toEqual([])
      expect(await opened.log.readAfter(ids.at(-2), 10)).toBe('gone')
    }
    await using opened = openSqliteLog(folder.path)
    expect(opened.log.head()).toBe(last)
    await opened.append('after all were removed')
    const [next = ''] = opened.broadcastIds()
    expect(ids).not.toContain(next)
    expect(next > last).toBe(true)
    expect(await textsOf(opened.log.readAfter(last, 10))).toEqual(['after all were removed'])
  })

  test('keeps messages that are younger', async () => {
    await using folder = await temporaryFolder()
    {
      await using opened = openSqliteLog(folder.path)
      await Promise.all(numbered(1, 2).map((message) => opened.append(message)))
      age(opened, 2)
      await Promise.all(numbered(3, 5).map((message) => opened.append(message)))
      age(opened, 29)
    }
    const clock = createFakeClock(Date.now())
    await using opened = openSqliteLog(folder.path, { retentionDays: 30, clock })
    clock.advance(dayMs)
    await until(() => countRows(opened) !== 5)
    expect(await textsOf(opened.log.readAfter(undefined, 10))).toEqual(numbered(3, 5))
  })
})

test('retention by count deletes the rows', async () => {
  await using folder = await temporaryFolder()
  {
    await using opened = openSqliteLog(folder.path)
    await Promise.all(numbered(1, 50).map((message) => opened.append(message)))
  }
  await using opened = openSqliteLog(folder.path, { retentionCount: 10 })
  await until(async () => (await countStored(opened.log)) === 10)
  expect(countRows(opened)).toBe(10)
})

describe('a locked database', () => {
  test('fails all messages of the commit, broadcasts none, and leaves no gap', async () => {
    await using folder = await temporaryFolder()
    await using opened = openSqliteLog(folder.path)
    await opened.append('before')
    const locker = openOtherConnection(folder.path)
    locker.run('begin immediate')
    const results = await Promise.allSettled(numbered(1, 5).map((message) => opened.append(message, message)))
    for (const result of results) {
      expect((result as PromiseRejectedResult).reason).toBeInstanceOf(StorageUnavailable)
    }
    expect(opened.broadcastTexts()).toEqual(['before'])
    locker.run('rollback')
    locker.close()
    await opened.append('m3', 'm3')
    expect(opened.broadcastTexts()).toEqual(['before', 'm3'])
    expect(await textsOf(opened.log.readAfter(opened.broadcastIds()[0], 10))).toEqual(['m3'])
  })

  test('fails one commit and not the next, and flush waits for both', async () => {
    await using folder = await temporaryFolder()
    await using opened = openSqliteLog(folder.path)
    const locker = openOtherConnection(folder.path)
    locker.run('begin immediate')
    // More messages than one commit takes. The lock is released once the first commit has failed.
    const messages = numbered(1, 700)
    let failed = 0
    const settled = messages.map((message) =>
      opened.append(message).catch((error: unknown) => {
        expect(error).toBeInstanceOf(StorageUnavailable)
        if (failed++ === 0) locker.run('rollback')
      }),
    )
    await opened.log.flush()
    expect(failed).toBeGreaterThan(0)
    expect(failed).toBeLessThan(700)
    expect(opened.broadcastTexts()).toEqual(messages.slice(failed))
    expect(await textsOf(opened.log.readAfter(undefined, 700))).toEqual(messages.slice(failed))
    await Promise.all(settled)
    locker.close()
  })
})

describe('erasing the messages of a removed user', () => {
  test('continues at the next start if it was interrupted', async () => {
    await using folder = await temporaryFolder()
    {
      await using opened = openSqliteLog(folder.path)
      opened.queries.run(`insert into users (id, username, password_hash, created_at, removed_at, erases_messages)
        values ('u1', 'someone', '', 1, 2, true), ('u2', 'another', '', 1, 2, false)`)
      for (const message of numbered(1, 3)) await opened.append(message)
      await opened.append('kept', undefined, { id: 'u2', username: 'another' })
    }
    await using opened = openSqliteLog(folder.path)
    await until(() => countRows(opened) === 1)
    expect(await textsOf(opened.log.readAfter(undefined, 10))).toEqual(['kept'])
    await until(
      () => opened.queries.all<{ n: number }>('select sum(erases_messages) as n from users')[0]?.n === 0,
    )
  })

  test('leaves no text in the files', async () => {
    await using folder = await temporaryFolder()
    const secret = 'a text that nobody may find in a free page'
    {
      await using opened = openSqliteLog(folder.path)
      for (let i = 0; i < 200; i++) await opened.append(`${secret} ${i}`)
      await opened.append('kept', undefined, { id: 'u2', username: 'another' })
      await opened.log.eraseMessagesOf('u1')
    }
    for await (const file of new Glob('*').scan({ cwd: folder.path, onlyFiles: true })) {
      const bytes = Buffer.from(await Bun.file(join(folder.path, file)).arrayBuffer())
      expect([file, bytes.includes(secret)]).toEqual([file, false])
    }
  })
})
