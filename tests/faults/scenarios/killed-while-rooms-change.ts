import { type Account, createAccount } from '../account.ts'
import type { Random } from '../random.ts'
import { act, judge, RoomClient, request } from '../room-traffic.ts'
import type { Scenario } from '../scenario.ts'
import { type Server, startServer } from '../server.ts'
import { until } from '../waiting.ts'

const userCount = 6

/** Changes members and sends until the server is killed. */
async function actUntilKilled(
  server: Server,
  users: readonly Account[],
  rooms: readonly string[],
  random: Random,
  name: string,
): Promise<string[]> {
  const stored: string[] = []
  for (let count = 1; ; count++) {
    try {
      const text = await act(server, users, random.pick(rooms), random, `${name}.${count}`)
      if (text !== undefined) stored.push(text)
    } catch {
      return stored
    }
  }
}

export const killedWhileRoomsChange: Scenario = {
  title: 'kill -9 while members join, leave and send',
  rounds: 12,
  quickRounds: 3,
  async run({ folder, random, rounds }) {
    const settings = { dataDir: folder, environment: { RATE_LIMIT_ROOM: '1000000/60' } }
    let server = await startServer(settings)
    const users: Account[] = []
    for (let index = 0; index < userCount; index++) users.push(await createAccount(server, `member-${index}`))
    const owner = await createAccount(server, 'owner')
    const beginning = (await request(server, owner, 'GET', '/api/chats/messages')).body.head
    const rooms: string[] = []
    for (const name of ['one', 'two', 'three']) {
      const { body } = await request(server, owner, 'POST', '/api/rooms', { name, public: true })
      rooms.push(body.room?.id ?? '')
    }
    const everyone = [...users, owner]
    const clients = everyone.map((account) => new RoomClient(account, beginning))
    const stored: string[] = []
    for (let round = 1; round <= rounds; round++) {
      await Promise.all(clients.map((client) => client.connect(server)))
      const actors = Array.from({ length: 6 }, (_, index) =>
        actUntilKilled(server, users, rooms, random.branch(), `${round}.${index}`),
      )
      await Bun.sleep(random.between(50, 500))
      await server.kill()
      stored.push(...(await Promise.all(actors)).flat())
      server = await startServer(settings)
    }
    const fresh = everyone.map((account) => new RoomClient(account, beginning))
    for (const client of [...clients, ...fresh]) await client.connect(server)
    await request(server, owner, 'POST', '/api/chats/send', { message: 'the end' })
    const all = [...clients, ...fresh]
    await until(20_000, 'all clients receive the end', () => all.every((each) => each.hasReceived('the end')))
    const verdict = judge(clients, fresh, stored)
    for (const client of all) client.close()
    await server.kill()
    return verdict
  },
}
