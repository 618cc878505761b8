import { describe, expect, test } from 'bun:test'
import { OutcomeUnknown, StorageUnavailable } from '../../src/storage/errors.ts'
import { skipsPostgres } from '../fixtures/postgres-server.ts'
import { startTcpProxy } from '../fixtures/tcp-proxy.ts'
import { numbered, textsOf, until } from './support/message-logs.ts'
import { createDatabase, openNode, openNodes } from './support/postgres.ts'
import { sharedPostgres, stopPostgresAfterTests } from './support/postgres-server.ts'
import { createRoomActions, outcomeOfChange } from './support/rooms.ts'

stopPostgresAfterTests()

/** A proxy in front of the shared server, and the URL of a new database behind it. */
async function openProxy() {
  const server = await sharedPostgres()
  const url = await createDatabase()
  const proxy = await startTcpProxy(server.port)
  return { ...proxy, url: url.replace(`:${server.port}/`, `:${proxy.port}/`), directUrl: url }
}

describe.skipIf(skipsPostgres)('an interrupted connection', () => {
  test('that loses responses stores each message once, in order, and tells each sender the truth', async () => {
    await using proxy = await openProxy()
    await using node = await openNode(proxy.url)
    let responses = 0
    proxy.loseResponses(() => ++responses % 7 === 0)
    const outcomes: string[] = []
    const texts = numbered(1, 150)
    for (const text of texts) {
      const outcome = await node.append(text).then(
        () => 'stored',
        (error: unknown) =>
          error instanceof StorageUnavailable
            ? 'not stored'
            : error instanceof OutcomeUnknown
              ? 'unknown'
              : error,
      )
      outcomes.push(String(outcome))
    }
    proxy.loseResponses(undefined)
    await using reader = await openNode(proxy.directUrl)
    const stored = (await textsOf(reader.log.readAfter(undefined, 1000))) as string[]
    expect(stored).toEqual(texts.filter((text) => stored.includes(text)))
    for (const [index, text] of texts.entries()) {
      if (outcomes[index] === 'stored') expect(stored).toContain(text)
      if (outcomes[index] === 'not stored') expect(stored).not.toContain(text)
    }
    expect(outcomes.filter((outcome) => outcome === 'stored').length).toBeGreaterThan(100)
    await until(() => node.broadcast.length === stored.length)
    expect(node.broadcastTexts()).toEqual(stored)
  })

  test('that loses responses makes each change of rooms once, and tells each user the truth', async () => {
    await using proxy = await openProxy()
    await using node = await openNode(proxy.url)
    const actions = createRoomActions(node)
    const ada = await actions.user('ada')
    let responses = 0
    proxy.loseResponses(() => ++responses % 29 === 0)
    const names = numbered(1, 60)
    const outcomes: string[] = []
    for (const name of names) outcomes.push(await outcomeOfChange(actions.create(ada, { name })))
    proxy.loseResponses(undefined)
    await using reader = await openNode(proxy.directUrl)
    const rooms = (await createRoomActions(reader).roomsOf(ada)).sort()
    expect(rooms).toEqual([...new Set(rooms)])
    for (const [index, name] of names.entries()) {
      if (outcomes[index] === 'ok') expect(rooms).toContain(name)
      if (outcomes[index] === 'storage-unavailable') expect(rooms).not.toContain(name)
    }
    expect(outcomes.filter((outcome) => outcome === 'ok').length).toBeGreaterThan(40)
    await until(() => node.broadcast.length === rooms.length)
  }, 60_000)

  test('that is cut is opened again: reads, accounts and messages continue', async () => {
    await using proxy = await openProxy()
    await using node = await openNode(proxy.url)
    await node.append('before')
    for (let i = 0; i < 5; i++) {
      proxy.cut()
      await until(async () => {
        try {
          return (await node.users.isTaken('someone')) === false
        } catch {
          return false
        }
      })
      await node.append(`m${i}`)
    }
    await until(() => node.unmet().length === 0)
    expect(await textsOf(node.log.readAfter(undefined, 10))).toEqual(['before', ...numbered(0, 4)])
  })

  test('whose server is gone fails as unavailable within the limit, and the service is not ready', async () => {
    await using proxy = await openProxy()
    const node = await openNode(proxy.url, { STORAGE_TIMEOUT_SECONDS: '1' })
    const user = await node.users.add('someone', 'hash')
    await proxy[Symbol.asyncDispose]()
    await expect(node.append('lost')).rejects.toBeInstanceOf(StorageUnavailable)
    await expect(Promise.resolve(node.users.find(user?.id ?? ''))).rejects.toBeInstanceOf(StorageUnavailable)
    // Cached identities are not trusted: every call returns another version.
    await until(() => {
      const before = node.users.version()
      return node.users.version() !== before
    })
    await until(() => node.unmet().includes('storage-unreachable'))
    await node[Symbol.asyncDispose]()
  })

  test('on which no notifications arrive does not keep messages and changes from arriving', async () => {
    await using cluster = await openNodes(2)
    const [writer, reader] = [cluster.node(0), cluster.node(1)]
    const server = await sharedPostgres()
    const database = new URL(cluster.url).pathname.slice(1)
    const findListeners = async () => {
      const rows = await server.query(
        database,
        `select pid from pg_stat_activity where application_name = 'parley listen' and datname = '${database}'`,
      )
      return rows.map(({ pid }) => pid as number)
    }
    await until(async () => (await findListeners()).length === 2)
    const listeners = await findListeners()
    for (const pid of listeners) process.kill(pid, 'SIGSTOP')
    try {
      const version = reader.users.version()
      await writer.append('m1')
      await writer.users.add('someone', 'hash')
      await writer.users.revokeTokens((await writer.users.findRecord('someone'))?.id ?? '')
      await until(() => reader.broadcast.length === 1 && reader.users.version() !== version)
      // New connections are opened once messages show that nothing arrives on the old ones.
      await until(async () => {
        await writer.append('another')
        await Bun.sleep(100)
        const replaced = (await findListeners()).filter((pid) => !listeners.includes(pid))
        return replaced.length === 2
      })
    } finally {
      for (const pid of listeners) {
        try {
          process.kill(pid, 'SIGCONT')
        } catch {
          // The node has replaced the connection.
        }
      }
    }
  })
})
