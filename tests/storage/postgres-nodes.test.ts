import { describe, expect, test } from 'bun:test'
import type { Page } from '../../src/chats/message-log.ts'
import { openAdministration } from '../../src/open-storage.ts'
import { inspectServer } from '../../src/storage/postgres/connection.ts'
import { skipsPostgres } from '../fixtures/postgres-server.ts'
import { countStored, numbered, textsOf, until } from './support/message-logs.ts'
import { createDatabase, openNode, openNodes } from './support/postgres.ts'
import { sharedPostgres, stopPostgresAfterTests } from './support/postgres-server.ts'

stopPostgresAfterTests()

describe.skipIf(skipsPostgres)('several nodes on one PostgreSQL database', () => {
  test('three nodes that start at the same time use one log', async () => {
    await using cluster = await openNodes(3)
    expect(new Set(cluster.nodes.map(({ log }) => log.head())).size).toBe(1)
  })

  test('every node broadcasts the messages of all nodes, once and in the same order', async () => {
    await using cluster = await openNodes(3)
    const { nodes } = cluster
    await Promise.all(
      nodes.flatMap((node, index) => numbered(1, 200).map((text) => node.append(`${index} ${text}`))),
    )
    await until(() => nodes.every(({ broadcast }) => broadcast.length === 600))
    for (const node of nodes) expect(node.broadcast).toEqual(cluster.node(0).broadcast)
    expect(await textsOf(cluster.node(1).log.readAfter(undefined, 1000))).toEqual(
      cluster.node(0).broadcastTexts(),
    )
  })

  test('the same key on all nodes at once is stored once, with one id, and refused with another message', async () => {
    await using cluster = await openNodes(3)
    for (const key of numbered(1, 20)) {
      const appended = await Promise.all(cluster.nodes.map((node) => node.append('same', key)))
      expect(new Set(appended.map(({ id }) => id)).size).toBe(1)
      expect(appended.filter(({ repeated }) => !repeated)).toHaveLength(1)
    }
    await expect(cluster.node(2).append('another', 'm1')).rejects.toMatchObject({
      code: 'idempotency-key-reused',
    })
    expect(await countStored(cluster.node(0).log)).toBe(20)
  })

  test('a cursor that another node has given is valid at once, and no page ends before it', async () => {
    await using cluster = await openNodes(2)
    const [writer, reader] = [cluster.node(0), cluster.node(1)]
    for (const text of numbered(1, 20)) {
      const { id } = await writer.append(text)
      expect(await textsOf(reader.log.readAfter(id, 10))).toEqual([])
      expect(reader.log.head() >= id).toBe(true)
      const newest = (await reader.log.readBefore(undefined, 1)) as Page
      expect(newest.messages[0]?.id).toBe(id)
    }
    const epoch = writer.log.head().split('-')[0]
    expect(await reader.log.readAfter(`${epoch}-0000000zzzz`, 10)).toBe('gone')
  })

  test('messages with any text arrive on other nodes as they were sent', async () => {
    await using cluster = await openNodes(2)
    const texts = [
      '\u0000',
      'a\u0000b',
      '"\\\n\t',
      'ä漢🎈',
      '\ud800',
      '{1,2}',
      'NULL',
      '',
      "'; drop table",
      '\u2028',
    ]
    for (const [index, text] of texts.entries()) await cluster.node(0).append(text, `key ${index}`)
    await until(() => cluster.node(1).broadcast.length === texts.length)
    expect(cluster.node(1).broadcastTexts()).toEqual(texts)
    for (const [index, text] of texts.entries()) {
      expect(await cluster.node(1).append(text, `key ${index}`)).toMatchObject({ repeated: true })
    }
  })

  test('removed messages disappear from the recent messages of other nodes', async () => {
    await using cluster = await openNodes(2)
    const [first, second] = [cluster.node(0), cluster.node(1)]
    const cursor = second.log.head()
    const ids: string[] = []
    for (const text of numbered(1, 5)) ids.push((await first.append(text)).id)
    await until(() => second.broadcast.length === 5)
    await first.log.remove([ids[1] as string, ids[4] as string])
    await until(async () => (await textsOf(second.log.readAfter(cursor, 10))).length === 3)
    expect(await textsOf(second.log.readAfter(cursor, 10))).toEqual(['m1', 'm3', 'm4'])
    const { id } = await second.append('m6')
    expect(id > (ids[4] as string)).toBe(true)
    await until(() => first.broadcast.length === 6)
  })

  test('messages that psql deletes are not delivered from memory, and their positions are not used again', async () => {
    await using cluster = await openNodes(2)
    const cursor = cluster.node(1).log.head()
    const { id } = await cluster.node(0).append('m1')
    await until(() => cluster.node(1).broadcast.length === 1)
    await cluster.psql('delete from parley.messages')
    await until(async () => (await textsOf(cluster.node(1).log.readAfter(cursor, 10))).length === 0)
    expect((await cluster.node(1).append('m2')).id > id).toBe(true)
  })

  test('one step of trimming happens at a time, and cursors before it are gone on every node', async () => {
    const url = await createDatabase()
    await using writer = await openNode(url)
    const cursor = writer.log.head()
    await Promise.all(numbered(1, 1200).map((text) => writer.append(text)))
    const limits = { MESSAGE_RETENTION_COUNT: '100' }
    const trimmers = await Promise.all([openNode(url, limits), openNode(url, limits)])
    await until(async () => (await countStored(writer.log)) === 100)
    // Trimming is not a removal, after which nodes would forget their recent messages.
    const database = new URL(url).pathname.slice(1)
    expect(
      await (await sharedPostgres()).query(database, 'select removals::int from parley.change_feed'),
    ).toEqual([{ removals: 0 }])
    for (const node of trimmers) {
      expect(await node.log.readAfter(cursor, 10)).toBe('gone')
      expect(node.errors).toEqual([])
      await node[Symbol.asyncDispose]()
    }
    expect((await writer.append('next')).id > (writer.broadcastIds().at(-2) as string)).toBe(true)
  })

  test('records of old batches are deleted, except the newest of each process', async () => {
    await using cluster = await openNodes(1)
    for (const text of numbered(1, 5)) await cluster.node(0).append(text)
    await cluster.psql("update parley.append_batches set recorded_at = now() - interval '11 minutes'")
    await using _ = await openNode(cluster.url)
    const batches = async () =>
      (await cluster.psql('select batch::int from parley.append_batches')).map(({ batch }) => batch)
    await until(async () => (await batches()).length === 1)
    expect(await batches()).toEqual([5])
    await cluster.node(0).append('m6')
    expect(cluster.node(0).broadcastTexts()).toEqual(numbered(1, 6))
  })

  test('messages of a removed user that another node stores late are erased as well', async () => {
    const url = await createDatabase()
    await using node = await openNode(url)
    const user = await node.users.add('someone', 'hash')
    if (!user) throw new Error('someone is taken')
    await node.append('before', undefined, user)
    await node.append('of another user')
    const server = await sharedPostgres()
    // The account was removed a minute ago.
    const database = new URL(url).pathname.slice(1)
    await server.query(
      database,
      `update parley.users set removed_at = ${Date.now() - 60_000}, erases_messages = true`,
    )
    await node.append('late', undefined, user)
    await using _ = await openNode(url)
    await until(async () => (await countStored(node.log)) === 1)
    const marks = () => server.query(database, 'select 1 from parley.users where erases_messages')
    await until(async () => (await marks()).length === 0)
    expect(await textsOf(node.log.readAfter(undefined, 10))).toEqual(['of another user'])
  })
})

describe.skipIf(skipsPostgres)('accounts that psql changes', () => {
  test.each([
    "update parley.users set username = 'renamed'",
    'delete from parley.users',
    "insert into parley.revoked_tokens values ('a token', 4102444800)",
  ])('%s changes the version on every node', async (statement) => {
    await using cluster = await openNodes(2)
    await cluster.node(0).users.add('someone', 'hash')
    const before = cluster.nodes.map(({ users }) => users.version())
    await cluster.psql(statement)
    await until(() => cluster.nodes.every(({ users }, index) => users.version() !== before[index]))
  })

  test('a statement that changes no row changes no version', async () => {
    await using cluster = await openNodes(1)
    const before = cluster.node(0).users.version()
    await cluster.psql("update parley.users set username = 'x' where false")
    await cluster.psql('delete from parley.revoked_tokens')
    await Bun.sleep(400)
    expect(cluster.node(0).users.version()).toBe(before)
  })
})

describe.skipIf(skipsPostgres)('commands', () => {
  test('remove messages and erase those of a user while nodes run', async () => {
    await using cluster = await openNodes(2)
    const [writer, reader] = [cluster.node(0), cluster.node(1)]
    const cursor = reader.log.head()
    const { id } = await writer.append('m1')
    await writer.append('m2', undefined, { id: 'u2', username: 'another' })
    await writer.append('m3')
    await until(() => reader.broadcast.length === 3)
    const { messages, users, close } = await openAdministration({
      dataDir: '/nonexistent',
      databaseUrl: cluster.url,
    })
    expect(await messages.remove([id, 'unknown'])).toEqual([id])
    expect(await messages.eraseMessagesOf('u2')).toBe(1)
    expect(await users.findRecord('someone')).toBeUndefined()
    await close()
    await until(async () => (await textsOf(reader.log.readAfter(cursor, 10))).length === 1)
    expect(await textsOf(reader.log.readAfter(cursor, 10))).toEqual(['m3'])
  })

  test('refuse a database that no node has opened', async () => {
    const databaseUrl = await createDatabase()
    const opened = openAdministration({ dataDir: '/nonexistent', databaseUrl })
    await expect(opened).rejects.toThrow('Start the service first')
    expect(await inspectServer(databaseUrl)).toBeUndefined()
    expect(await inspectServer(databaseUrl.replace(/test_\d+$/, 'missing'))).toContain(
      'has no database missing',
    )
  })
})
