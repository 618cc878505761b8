import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { skipsPostgres } from '../fixtures/postgres-server.ts'
import { failureOf, runCommand, runJson } from '../unit/support/command.ts'
import { startRoomService } from '../unit/support/room-service.ts'
import { secret } from '../unit/support/service.ts'
import { until } from './support/message-logs.ts'
import { createDatabase } from './support/postgres.ts'
import { stopPostgresAfterTests } from './support/postgres-server.ts'

stopPostgresAfterTests()
setDefaultTimeout(180_000)

/** Starts two nodes on an empty database. The commands know only its URL. */
async function startNodes(settings: Readonly<Record<string, string>> = {}) {
  const environment = { DATABASE_URL: await createDatabase() }
  const start = () => startRoomService({ ...environment, JWT_SECRET: secret, ...settings })
  const nodes = [await start(), await start()] as const
  return {
    nodes,
    /** Runs `parley rooms` and returns its output as JSON. */
    run: <Output>(...arguments_: string[]) => runJson<Output>(['rooms', ...arguments_], { environment }),
    text: async (...arguments_: string[]) =>
      (await runCommand(['rooms', ...arguments_], { environment })).stdout,
    failure: (...arguments_: string[]) => failureOf(['rooms', ...arguments_], { environment }),
    async [Symbol.asyncDispose]() {
      for (const node of nodes) await node[Symbol.asyncDispose]()
    },
  }
}

describe.skipIf(skipsPostgres)('the commands for rooms, with DATABASE_URL', () => {
  test('list and show what the nodes have stored', async () => {
    await using cluster = await startNodes()
    const [one, other] = cluster.nodes
    const [ada, bob] = [await one.user('ada'), await other.user('bob')]
    const open = await ada.create({ name: 'Reading club', public: true })
    await bob.join(open)
    await bob.send('Which book?', open)
    const hidden = await bob.create({ name: 'Hidden' })
    const direct = (await ada.call('PUT', '/api/rooms/direct/bob')).body.room.id

    const text = await cluster.text('list')
    expect(text).toMatch(/^ID +KIND +MEMBERS +ENTRIES +NAME\n/)
    expect(text).toMatch(new RegExp(`${open} +public +2 +3 +Reading club`))
    expect(text).toMatch(new RegExp(`${hidden} +private +1 +1 +Hidden`))
    expect(text).toMatch(new RegExp(`${direct} +direct +2 +2`))
    expect(await cluster.run('show', open)).toMatchObject({
      id: open,
      name: 'Reading club',
      history: 'all',
      members: [
        { user: { username: 'ada', id: ada.id }, role: 'owner' },
        { user: { username: 'bob', id: bob.id }, role: 'member' },
      ],
    })
    expect(await cluster.failure('show', 'unknown')).toContain('No room has the id "unknown".')
  })

  test('create a room while users may not', async () => {
    await using cluster = await startNodes({ ROOM_CREATION: 'operator' })
    const ada = await cluster.nodes[1].user('ada')
    expect((await ada.call('POST', '/api/rooms', { name: 'x' })).body.code).toBe('room-creation-closed')
    await cluster.run('create', 'Announcements', '--owner', 'ada', '--public')
    const names = async () => (await ada.call('GET', '/api/rooms')).body.rooms.map(({ name }) => name)
    await until(async () => (await names()).length > 0)
    // Both nodes may have carried out the request: the room exists once.
    expect(await names()).toEqual(['Announcements'])
  })

  test('remove a room, which the clients of every node receive', async () => {
    await using cluster = await startNodes()
    const [one, other] = cluster.nodes
    const [ada, bob] = [await one.user('ada'), await other.user('bob')]
    const room = await ada.create({ members: ['bob'] })
    const clients = [await ada.connect(), await bob.connect()]
    expect(await cluster.run('remove', room, '--yes')).toMatchObject({ id: room, done: true })
    for (const client of clients) {
      let frame = await client.next()
      while (frame.event === 'joined') frame = await client.next()
      expect(frame).toMatchObject({ event: 'room-removed', room, by: null })
      await client.close()
    }
    expect((await bob.call('GET', `/api/rooms/${room}`)).status).toBe(404)
    expect((await ada.send('too late', room)).status).toBe(404)
    expect(await cluster.failure('show', room)).toContain('No room has the id')
  })

  test('set an owner, who may then change the room on any node', async () => {
    await using cluster = await startNodes()
    const [one, other] = cluster.nodes
    const [ada, bob] = [await one.user('ada'), await other.user('bob')]
    const room = await ada.create({})
    const client = await ada.connect()
    const done = { id: room, username: 'bob', done: true }
    expect(await cluster.run('set-owner', room, 'BOB')).toMatchObject(done)
    expect(await client.next()).toMatchObject({ event: 'joined', user: { username: 'bob' }, role: 'owner' })
    await client.close()
    expect((await bob.call('PATCH', `/api/rooms/${room}`, { name: 'Renamed' })).status).toBe(200)
    expect(await cluster.run('show', room)).toMatchObject({ name: 'Renamed' })
    expect(await cluster.failure('set-owner', room, 'unknown')).toContain('No account has the username')
  })
})
