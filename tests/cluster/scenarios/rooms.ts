import { type Account, createAccount } from '../../faults/account.ts'
import type { Random } from '../../faults/random.ts'
import { act, judge, RoomClient, request } from '../../faults/room-traffic.ts'
import { until } from '../../faults/waiting.ts'
import { type Cluster, type Node, startCluster } from '../cluster.ts'
import type { Scenario } from '../scenario.ts'

const userCount = 5

const roomSettings = { RATE_LIMITS: 'off' }

type Members = { readonly members?: readonly { readonly user: { readonly username: string } }[] }

async function createRoom(node: Node, owner: Account, settings: object): Promise<string> {
  const { status, body } = await request(node, owner, 'POST', '/api/rooms', settings)
  if (status !== 201 || !body.room) throw new Error(`createRoom returned ${status}`)
  return body.room.id
}

/** The usernames of the members, as one user sees them; undefined if the room does not exist for the user. */
async function membersOf(node: Node, reader: Account, room: string): Promise<string[] | undefined> {
  const { status, body } = await request(node, reader, 'GET', `/api/rooms/${room}/members?limit=200`)
  if (status === 404) return undefined
  return ((body as Members).members ?? []).map(({ user }) => user.username).sort()
}

/** Acts on random nodes until it is stopped. Requests fail while a node is killed. */
function startActor(
  cluster: Cluster,
  users: readonly Account[],
  rooms: readonly string[],
  random: Random,
  name: string,
) {
  const stored: string[] = []
  let stopped = false
  async function run(): Promise<void> {
    for (let count = 1; !stopped; count++) {
      const node = cluster.nodes.length > 0 ? random.pick(cluster.nodes) : undefined
      try {
        const text = node && (await act(node, users, random.pick(rooms), random, `${name}.${count}`))
        if (text !== undefined) stored.push(text)
      } catch {
        await Bun.sleep(20)
      }
    }
  }
  const running = run()
  return {
    async stop(): Promise<string[]> {
      stopped = true
      await running
      return stored
    },
  }
}

/** Two owners remove each other on two nodes: one of them remains. */
async function removeEachOther(cluster: Cluster, [ada, bob]: readonly [Account, Account]): Promise<string[]> {
  const [one, other] = cluster.nodes as [Node, Node]
  const room = await createRoom(one, ada, { name: 'two owners', members: [bob.username] })
  const member = `/api/rooms/${room}/members/`
  await request(one, ada, 'PUT', member + bob.username, { role: 'owner' })
  const outcomes = await Promise.all([
    request(one, ada, 'DELETE', member + bob.username),
    request(other, bob, 'DELETE', member + ada.username),
  ])
  const statuses = outcomes.map(({ status }) => status).sort()
  const remaining = (await membersOf(one, ada, room)) ?? (await membersOf(one, bob, room)) ?? []
  if (statuses.join() === '200,404' && remaining.length === 1) return []
  return [`two owners who removed each other received ${statuses}, and the members are ${remaining}`]
}

/** A room is removed during sends on another node: no message follows its end. */
async function removeDuringSends(cluster: Cluster, [ada, bob]: readonly [Account, Account], head: string) {
  const [one, other] = cluster.nodes as [Node, Node]
  const room = await createRoom(one, ada, { name: 'removed', members: [bob.username] })
  const send = (index: number) =>
    request(other, bob, 'POST', '/api/chats/send', { message: `to the removed room ${index}`, room })
  const sends = Array.from({ length: 20 }, (_, index) => send(index))
  const [removal, ...sent] = await Promise.all([request(one, ada, 'DELETE', `/api/rooms/${room}`), ...sends])
  const late = await send(20)
  const findings: string[] = []
  if (removal.status !== 200 || late.status !== 404) {
    findings.push(`a removal returned ${removal.status}, and a later send ${late.status}`)
  }
  const client = new RoomClient(bob, head)
  await client.connect(other)
  await until(20_000, 'the replay ends', () => client.caughtUp)
  client.close()
  const ofRoom = client.frames.map((frame) => JSON.parse(frame)).filter((frame) => frame.room === room)
  const stored = sent.filter(({ status }) => status === 200).length
  if (ofRoom.filter(({ event }) => event === 'message').length !== stored) {
    findings.push(`${stored} messages of a removed room were confirmed, and others were received`)
  }
  if (ofRoom.at(-1)?.event !== 'room-removed') findings.push('a message follows the end of its room')
  return findings
}

/** An account is deleted while its user joins rooms on other nodes: it is a member of none. */
async function deleteDuringJoins(cluster: Cluster, owner: Account, name: string): Promise<string[]> {
  const [one, other] = cluster.nodes as [Node, Node]
  const leaver = await createAccount(one, name)
  const rooms: string[] = []
  for (let index = 0; index < 5; index++)
    rooms.push(await createRoom(one, owner, { name: 'joined', public: true }))
  const password = 'correct horse battery staple'
  const [removal] = await Promise.all([
    request(one, leaver, 'DELETE', '/api/users/profile', { password }),
    ...rooms.map((room) => request(other, leaver, 'PUT', `/api/rooms/${room}/members/${name}`, {})),
  ])
  if (removal.status !== 200) return [`the removal of an account returned ${removal.status}`]
  const isMember = async (room: string) => (await membersOf(other, owner, room))?.includes(name)
  try {
    await until(
      20_000,
      'the removed user leaves',
      async () => !(await Promise.all(rooms.map(isMember))).includes(true),
    )
    return []
  } catch (error) {
    return [(error as Error).message]
  }
}

/**
 * Members join, leave and send on all nodes while nodes are killed: clients that resume on other nodes receive what a
 * client receives that was never interrupted.
 */
export const roomsOnSeveralNodes: Scenario = {
  title: 'rooms change on all nodes while nodes are killed',
  rounds: 4,
  quickRounds: 1,
  async run({ postgres, random }) {
    await using cluster = await startCluster(postgres, roomSettings)
    const first = cluster.nodes[0] as Node
    const users: Account[] = []
    for (let index = 0; index < userCount; index++) users.push(await createAccount(first, `member-${index}`))
    const owner = await createAccount(first, 'owner')
    const head = (await request(first, owner, 'GET', '/api/chats/messages')).body.head as string
    const rooms: string[] = []
    for (const name of ['one', 'two']) rooms.push(await createRoom(first, owner, { name, public: true }))
    const everyone = [...users, owner]
    const clients = everyone.map((account) => new RoomClient(account, head))
    const connectAll = async (all: readonly RoomClient[]) => {
      for (const client of all) {
        client.close()
        await client.connect(random.pick(cluster.nodes))
      }
    }
    const actors = Array.from({ length: 4 }, (_, index) =>
      startActor(cluster, users, rooms, random.branch(), `${index}`),
    )
    for (let round = 0; round < 3; round++) {
      await connectAll(clients)
      await Bun.sleep(random.between(200, 600))
      await cluster.kill(random.pick(cluster.nodes))
      await cluster.join()
    }
    const stored = (await Promise.all(actors.map((actor) => actor.stop()))).flat()
    const pair = [users[0], users[1]] as [Account, Account]
    const findings = [
      ...(await removeEachOther(cluster, pair)),
      ...(await removeDuringSends(cluster, pair, head)),
      ...(await deleteDuringJoins(cluster, owner, 'leaver')),
    ]
    const fresh = everyone.map((account) => new RoomClient(account, head))
    const all = [...clients, ...fresh]
    await connectAll(all)
    await request(cluster.nodes[0] as Node, owner, 'POST', '/api/chats/send', { message: 'the end' })
    await until(30_000, 'all clients receive the end', () => all.every((each) => each.hasReceived('the end')))
    const verdict = judge(clients, fresh, stored)
    for (const client of all) client.close()
    return { ...verdict, findings: [...findings, ...verdict.findings], longestDelayMs: 0 }
  },
}
