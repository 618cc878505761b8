import { Database as Sqlite } from 'bun:sqlite'
import { describe, expect, test } from 'bun:test'
import { copyFileSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { openSqliteMessageLog } from '../../../../src/chats/message-log.sqlite.ts'
import { LostStorage, StorageUnavailable } from '../../../../src/storage/errors.ts'
import { createChangeCounter } from '../../../../src/storage/sqlite/change-counter.ts'
import { openSqlite } from '../../../../src/storage/sqlite/connection.ts'
import { createSqliteUsers } from '../../../../src/users/users.sqlite.ts'
import { startChild } from '../../support/child.ts'
import { bearer, outcome, startService, temporaryFolder } from '../../support/service.ts'

function openAll(path: string) {
  const lost: LostStorage[] = []
  const connection = openSqlite(path, { onLost: (error) => void lost.push(error) })
  const { queries, write } = connection
  const options = { retentionDays: 30, retentionCount: 1000, onError() {} }
  const log = openSqliteMessageLog({ ...connection, ...options })
  const received: string[] = []
  log.subscribe(({ id }) => void received.push(id))
  return {
    lost,
    connection,
    received,
    users: createSqliteUsers({ queries, write, changes: createChangeCounter(queries.$client) }),
    append: (message: string) =>
      log.append({ user: { id: 'u1', username: 'someone' }, message, idempotencyKey: undefined }),
    async [Symbol.asyncDispose]() {
      await log.flush()
      log.close()
      connection.close()
    },
  }
}

const file = (path: string) => join(path, 'parley.sqlite')

/** What happens to the files, and to what extent the message names it. */
const losses: readonly (readonly [string, (path: string) => void, RegExp])[] = [
  ['the database is removed', (path) => rmSync(file(path)), /parley\.sqlite was removed/],
  [
    'all three files are removed',
    (path) => ['', '-wal', '-shm'].map((suffix) => rmSync(file(path) + suffix)),
    /parley\.sqlite was removed/,
  ],
  [
    'the database is replaced by a copy',
    (path) => {
      copyFileSync(file(path), `${file(path)}.copy`)
      renameSync(`${file(path)}.copy`, file(path))
    },
    /parley\.sqlite was replaced/,
  ],
  ['the -wal file is removed', (path) => rmSync(`${file(path)}-wal`), /parley\.sqlite-wal was removed/],
  ['the -shm file is removed', (path) => rmSync(`${file(path)}-shm`), /parley\.sqlite-shm was removed/],
  ['the folder is renamed', (path) => renameSync(path, `${path}-moved`), /parley\.sqlite was removed/],
]

describe.each(losses)('when %s', (_, lose, message) => {
  test('nothing is acknowledged, and the loss is reported once', async () => {
    await using parent = await temporaryFolder()
    const path = join(parent.path, 'data')
    mkdirSync(path)
    await using opened = openAll(path)
    await opened.append('before')
    const account = await opened.users.add('someone', 'a hash')
    expect(opened.connection.unmet()).toEqual([])

    lose(path)

    expect(opened.append('after')).rejects.toBeInstanceOf(StorageUnavailable)
    expect(opened.append('and again')).rejects.toBeInstanceOf(StorageUnavailable)
    expect(() => opened.users.add('other', 'a hash')).toThrow(StorageUnavailable)
    expect(() => opened.users.changePassword(account?.id ?? '', { to: 'another' })).toThrow(
      StorageUnavailable,
    )
    expect(() => opened.users.remove(account?.id ?? '', { eraseMessages: false })).toThrow(StorageUnavailable)
    await Bun.sleep(0)
    expect(opened.connection.unmet()).toEqual(['storage-lost'])
    expect(opened.received).toHaveLength(1)
    expect(opened.lost).toHaveLength(1)
    expect(opened.lost[0]).toBeInstanceOf(LostStorage)
    expect(opened.lost[0]?.message).toMatch(message)
    expect(opened.lost[0]?.message).toContain('put the original files back or restore a backup')
  })
})

test('the refusal lasts until a restart, after which everything acknowledged is there', async () => {
  await using folder = await temporaryFolder()
  {
    await using opened = openAll(folder.path)
    await opened.append('before')
    // A change that follows another within 5 ms needs no check in advance.
    await Bun.sleep(20)
    const suffixes = ['', '-wal', '-shm']
    for (const suffix of suffixes) renameSync(file(folder.path) + suffix, `${file(folder.path)}.x${suffix}`)
    expect(opened.append('while away')).rejects.toBeInstanceOf(StorageUnavailable)
    await Bun.sleep(0)
    for (const suffix of suffixes) renameSync(`${file(folder.path)}.x${suffix}`, file(folder.path) + suffix)
    expect(opened.append('when back')).rejects.toBeInstanceOf(StorageUnavailable)
    expect(opened.connection.unmet()).toEqual(['storage-lost'])
  }
  await using opened = openAll(folder.path)
  expect(opened.connection.queries.$client.query('select count(*) as n from messages').get()).toEqual({
    n: 1,
  })
  await opened.append('after the restart')
  expect(opened.received).toHaveLength(1)
})

test('a commit during which the files disappear is not acknowledged', async () => {
  await using folder = await temporaryFolder()
  await using opened = openAll(folder.path)
  const { write, queries } = opened.connection
  const insert = () =>
    write(() => {
      rmSync(file(folder.path))
      queries.run(
        "insert into users (id, username, password_hash, created_at) values ('u1', 'someone', 'a hash', 0)",
      )
    })
  expect(insert).toThrow(StorageUnavailable)
})

test('backups and readers of other programs do not count as a loss', async () => {
  await using folder = await temporaryFolder()
  await using opened = openAll(folder.path)
  await opened.append('first')
  {
    using other = new Sqlite(file(folder.path))
    other.run('vacuum into ?', [`${folder.path}/backup`])
    other.run('pragma wal_checkpoint(truncate)')
    other.run('vacuum')
  }
  await opened.append('second')
  expect(opened.connection.unmet()).toEqual([])
  expect(opened.lost).toEqual([])
})

test('requests receive 503, and /readyz as well', async () => {
  await using service = await startService()
  const { token } = await service.account('someone')
  const send = () => outcome(service.post('/api/chats/send', { message: 'hello' }, bearer(token)))
  expect(await send()).toEqual([200, undefined])
  const { filename } = service.openFile()
  rmSync(filename)
  expect(await send()).toEqual([503, 'storage-unavailable'])
  const account = { username: 'another', password: 'correct horse battery staple' }
  expect(await outcome(service.post('/api/auth/register', account))).toEqual([503, 'storage-unavailable'])
  expect(await outcome(service.get('/readyz'))).toEqual([503, 'storage-unavailable'])
  expect(await (await service.get('/readyz')).json()).toMatchObject({ reasons: ['storage-lost'] })
  expect((await service.get('/livez')).status).toBe(200)
})

test('the process writes one fatal line, says what to do, and can be stopped', async () => {
  await using folder = await temporaryFolder()
  await using service = await startChild({ environment: { DATA_DIR: folder.path, NODE_ENV: 'production' } })
  rmSync(file(folder.path))
  for (let i = 0; i < 3; i++) expect((await fetch(`${service.url}/readyz`)).status).toBe(503)
  const fatal = (await service.stop()).split('\n').filter((line) => line.includes('"level":60'))
  expect(fatal).toHaveLength(1)
  expect(fatal[0]).toContain(`${file(folder.path)} was removed while the service was running.`)
})
