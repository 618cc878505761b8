import { type Account, createAccount } from '../account.ts'
import type { Random } from '../random.ts'
import type { Scenario } from '../scenario.ts'
import { type Server, startServer } from '../server.ts'
import { until, within } from '../waiting.ts'

const userCount = 6

interface Frame {
  readonly event: string
  readonly id?: string
  readonly cursor?: string
  readonly message?: string
}

/** A client that receives rooms, and resumes after each loss of its connection. */
class RoomClient {
  readonly account: Account
  readonly frames: string[] = []
  cursor: string | undefined
  caughtUp = false
  #socket: WebSocket | undefined

  constructor(account: Account, cursor?: string) {
    this.account = account
    this.cursor = cursor
  }

  async connect(server: Server): Promise<void> {
    const query = new URLSearchParams({ rooms: 'mine', ...(this.cursor && { after: this.cursor }) })
    const url = `${server.url.replace('http', 'ws')}/?${query}`
    const headers = { authorization: `Bearer ${this.account.token}` }
    const socket = new WebSocket(url, { headers } as unknown as string[])
    this.#socket = socket
    this.caughtUp = false
    socket.onmessage = ({ data }) => {
      const { event, id, cursor } = JSON.parse(String(data)) as Frame
      this.cursor = id ?? cursor
      if (event === 'caught-up') this.caughtUp = true
      else this.frames.push(String(data))
    }
    await within(
      10_000,
      'a client connects',
      new Promise<void>((resolve) => {
        socket.onopen = () => resolve()
        socket.onclose = () => resolve()
        socket.onerror = () => {}
      }),
    )
  }

  hasReceived = (message: string) =>
    this.frames.some((frame) => (JSON.parse(frame) as Frame).message === message)
  close = () => this.#socket?.close()
}

async function request(server: Server, { token }: Account, method: string, path: string, body?: object) {
  const response = await fetch(server.url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
    signal: AbortSignal.timeout(10_000),
    ...(body && { body: JSON.stringify(body) }),
  })
  return {
    status: response.status,
    body: (await response.json()) as { room?: { id: string }; head?: string },
  }
}

/** One random change or message. It may fail when the server is killed. @returns the text of a stored message */
async function act(server: Server, users: readonly Account[], room: string, random: Random, text: string) {
  const [user, other] = [random.pick(users), random.pick(users)]
  const member = `/api/rooms/${room}/members/`
  if (random.percent(60)) {
    const { status } = await request(server, user, 'POST', '/api/chats/send', {
      message: text,
      ...(random.percent(80) && { room }),
    })
    return status === 200 ? text : undefined
  }
  if (random.percent(50)) await request(server, user, 'PUT', member + user.username, {})
  else if (random.percent(60)) await request(server, user, 'DELETE', member + user.username)
  else await request(server, user, 'DELETE', member + other.username)
  return undefined
}

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

function compare(resumed: readonly RoomClient[], fresh: readonly RoomClient[]): string[] {
  return resumed.flatMap((client, index) => {
    const expected = fresh[index]?.frames ?? []
    const difference = expected.findIndex((frame, at) => frame !== client.frames[at])
    if (difference === -1 && expected.length === client.frames.length) return []
    const [has, should] = [client.frames[difference], expected[difference]]
    return [`${client.account.username} received ${has} instead of ${should} at ${difference}`]
  })
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
    // The owner of all rooms has received every message.
    const texts = new Map<string, number>()
    for (const frame of clients.at(-1)?.frames ?? []) {
      const { message } = JSON.parse(frame) as Frame
      if (message !== undefined) texts.set(message, (texts.get(message) ?? 0) + 1)
    }
    const findings = compare(clients, fresh)
    if (stored.length < 2) findings.push('almost no messages were stored, so the scenario tested nothing')
    for (const client of all) client.close()
    await server.kill()
    return {
      acknowledged: stored.length,
      lost: stored.filter((text) => !texts.has(text)).length,
      duplicated: [...texts.values()].filter((count) => count > 1).length,
      reordered: 0,
      findings,
    }
  },
}
