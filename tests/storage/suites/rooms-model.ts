import { expect, test } from 'bun:test'
import type { User } from '../../../src/users/users.ts'
import { createRandom, type Random } from '../../faults/random.ts'
import { until } from '../support/message-logs.ts'
import { createRoomNode, type RoomClient, type RoomNode } from '../support/room-clients.ts'
import { describeEntry, parseEntry, type RoomActions } from '../support/rooms.ts'
import type { RoomsEngine } from './rooms/engine.ts'

const userNames = Array.from({ length: 6 }, (_, index) => `user-${index}`)
const [maxRooms, steps] = [5, 300]

/**
 * What uninterrupted connections receive: it follows the entries of the log one by one, and knows the members
 * only from the events.
 */
function createOracle(users: readonly User[]) {
  const membersOf = new Map<string, Set<string>>()
  const received = new Map(users.map(({ id }) => [id, [] as { id: string; room: string; frame: string }[]]))
  return {
    received: (user: User) => received.get(user.id) ?? [],
    follow(frame: string): void {
      const { event, id, room, user } = parseEntry({ frame })
      const roomId = typeof room === 'string' ? room : (room?.id ?? '')
      const members = membersOf.get(roomId) ?? new Set()
      membersOf.set(roomId, members)
      if (event === 'joined' && user) members.add(user.id)
      for (const [userId, entries] of received) {
        if (roomId === '' || members.has(userId)) entries.push({ id, room: roomId, frame })
      }
      if (event === 'left' && user) members.delete(user.id)
      if (event === 'room-removed') members.clear()
    },
  }
}

interface World {
  readonly actions: RoomActions
  readonly nodes: readonly RoomNode[]
  readonly users: readonly User[]
  readonly clients: readonly RoomClient[]
  readonly rooms: string[]
}

/** One random step. Changes that are refused are part of the schedule. */
async function step({ actions, nodes, users, clients, rooms }: World, random: Random, name: string) {
  const [user, other] = [random.pick(users), random.pick(users)]
  const room = random.pick(rooms)
  const chance = random.between(1, 100)
  if (chance < 40) await actions.send(user, name, chance < 10 ? undefined : room)
  else if (chance < 55) await actions.add(random.pick([user, null]), room, other.username)
  else if (chance < 62) await actions.remove(user, room, user.username)
  else if (chance < 67) await actions.remove(user, room, other.username)
  else if (chance < 70) await actions.add(user, room, other.username, random.pick(['owner', 'member']))
  else if (chance < 72) await actions.rename(user, room, name)
  else if (chance < 74) await actions.end(random.pick([user, null]), room)
  else if (chance < 76 && rooms.length < maxRooms * 3)
    rooms.push(await actions.create(user, { public: true }))
  else if (chance < 78 && user !== other) await actions.direct(user, other.username)
  else {
    const client = random.pick(clients)
    if (client.close) client.close()
    else random.pick(nodes).connect(client)
  }
}

/** Several steps at the same time, so that they share commits and happen during replays. */
async function runSteps(world: World, random: Random, count: number, label: string): Promise<void> {
  for (let done = 0; done < count; ) {
    const together = random.between(1, 5)
    await Promise.all(
      Array.from({ length: together }, (_, index) => step(world, random, `${label}.${done + index}`)),
    )
    done += together
  }
}

/** Connects all clients and waits until each has received the last message. */
async function catchUp({ actions, nodes, users, clients }: World, random: Random): Promise<void> {
  for (const client of clients) if (!client.close) random.pick(nodes).connect(client)
  const last = await actions.send(random.pick(users), 'last')
  await until(() => clients.every(({ frames }) => frames.some((frame) => parseEntry({ frame }).id === last)))
  for (const { failures } of nodes) expect(failures).toEqual([])
}

function closeAll({ clients, nodes }: World): void {
  for (const client of clients) client.close?.()
  for (const node of nodes) node.stop()
}

/**
 * Random schedules of joins, leaves, removals, messages, and clients that disconnect and return, on one node
 * or several: each client has to receive exactly what one uninterrupted connection would have received.
 *
 * @param runs the number of schedules
 */
export function roomsModelSuite(
  { name, createStorage, nodes: nodeCount = 1 }: RoomsEngine,
  runs: number,
): void {
  for (let seed = 1; seed <= runs; seed++) {
    test(`rooms in ${name}: clients that return have received what an uninterrupted one has (seed ${seed})`, async () => {
      const random = createRandom(seed)
      await using storage = await createStorage()
      await using stack = new AsyncDisposableStack()
      const opened: RoomActions[] = []
      for (let node = 0; node < nodeCount; node++) opened.push(stack.use(await storage.open()))
      const actions = opened[0] as RoomActions
      const users = await actions.users(...userNames)
      const oracle = createOracle(users)
      actions.log.subscribe(({ frame }) => oracle.follow(frame))
      const rooms: string[] = []
      const nodes = opened.map(({ log }) => createRoomNode(log))
      const clients = [...users, ...users].map(
        (user): RoomClient => ({ user, frames: [], cursor: actions.log.head(), close: undefined }),
      )
      for (let index = 0; index < maxRooms; index++) rooms.push(await actions.create(random.pick(users)))
      const world = { actions, nodes, users, clients, rooms }
      await runSteps(world, random, steps, `${seed}`)
      await catchUp(world, random)
      for (const { user, frames } of clients) {
        const expected = oracle.received(user).map(({ frame }) => frame)
        expect(frames.map(describeEntry)).toEqual(expected.map(describeEntry))
        expect(frames).toEqual(expected)
      }
      closeAll(world)
    }, 60_000)
  }

  trimmingSuite({ name, createStorage }, Math.ceil(runs / 4))
}

/** The same with restarts that remove the oldest entries: each gap is announced, and only what was removed is missing. */
function trimmingSuite({ name, createStorage }: RoomsEngine, runs: number): void {
  for (let seed = 1; seed <= runs; seed++) {
    test(`rooms in ${name}: a client misses only removed entries, and receives a gap for each room (seed ${seed})`, async () => {
      const random = createRandom(1000 + seed)
      await using storage = await createStorage()
      let users: readonly User[] = []
      const rooms: string[] = []
      let clients: RoomClient[] = []
      let oracle: ReturnType<typeof createOracle> | undefined
      {
        await using actions = await storage.open()
        users = await actions.users(...userNames)
        const followed = createOracle(users)
        oracle = followed
        actions.log.subscribe(({ frame }) => followed.follow(frame))
        clients = users.map((user) => ({ user, frames: [], cursor: actions.log.head(), close: undefined }))
        for (let index = 0; index < maxRooms; index++) rooms.push(await actions.create(random.pick(users)))
        const world = { actions, nodes: [createRoomNode(actions.log)], users, clients, rooms }
        await runSteps(world, random, steps, `${seed}`)
        closeAll(world)
      }
      await using actions = await storage.open({ retentionCount: 20 })
      await Bun.sleep(200)
      const followed = oracle
      actions.log.subscribe(({ frame }) => followed.follow(frame))
      const world = { actions, nodes: [createRoomNode(actions.log)], users, clients, rooms }
      await catchUp(world, random)
      closeAll(world)
      for (const { user, frames } of clients) checkGaps(followed.received(user), frames)
    }, 60_000)
  }
}

function checkGaps(expected: readonly { id: string; room: string }[], frames: readonly string[]): void {
  const entries = frames.map((frame) => parseEntry({ frame }))
  const received = new Set(entries.flatMap(({ id }) => id ?? []))
  const gapRooms = new Set(
    entries.flatMap(({ event, room }) => (event === 'gap' ? [String(room ?? '')] : [])),
  )
  const inOrder = entries.flatMap(({ id }) => id ?? [])
  expect(inOrder).toEqual(inOrder.toSorted())
  expect(new Set(inOrder).size).toBe(inOrder.length)
  const missing = expected.filter(({ id }) => !received.has(id))
  const missingRooms = new Set(missing.map(({ room }) => room))
  expect([...received].filter((id) => !expected.some((each) => each.id === id))).toEqual([])
  // Where a membership was deleted together with its entries, the gap does not name the room.
  for (const room of missingRooms) expect(gapRooms.has(room) || gapRooms.has('')).toBe(true)
  for (const room of gapRooms) if (room !== '') expect(missingRooms.has(room)).toBe(true)
}
