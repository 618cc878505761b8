import { Database } from 'bun:sqlite'
import type { Harness, Size } from '../harness.ts'
import type { Parley } from '../parley.ts'
import { type SocketLoad, startServer, startSocketLoad } from '../processes.ts'
import type { Result } from '../report.ts'
import { interleave, repeat, slowRounds } from '../rounds.ts'
import type { Account } from '../seed.ts'
import { type SeededRooms, seedRooms } from '../seed-rooms.ts'
import { ratios } from '../statistics.ts'
import { measureFanOut, openWarm } from './fan-out.ts'
import { p99, resumeWhileSending, sendPaced } from './resume.ts'
import { connectToParley, documentedFrame } from './sockets.ts'

const roomsPath = '/?rooms=mine'
const formatCount = (count: number) => count.toLocaleString('en-US')

/** Sends to rooms, resumes over several rooms, and a restart after which all clients resume at the same time. */
export async function rooms(harness: Harness): Promise<Result[]> {
  const { fewSockets, manySockets } = harness.size
  return [
    ...(await sendToRoom(harness, fewSockets)),
    ...(await sendToRoom(harness, manySockets)),
    ...(await resumeRooms(harness)),
  ]
}

/** One member sends to a room, and all members receive every message; next to as many users without rooms. */
async function sendToRoom(harness: Harness, members: number): Promise<Result[]> {
  const users = { accounts: members, users: members }
  let roomId = ''
  const seed = (file: string, all: Account[]) => {
    roomId = seedRooms(file, { rooms: [all], messages: 1 }).ids[0] ?? ''
  }
  const servers = {
    room: await harness.startParley({ ...users, seed }),
    everyone: await harness.startParley(users),
  }
  const frames = {
    room: JSON.stringify({ ...JSON.parse(documentedFrame), room: roomId }),
    everyone: documentedFrame,
  }
  const open = (name: keyof typeof servers, path?: string) =>
    openWarm(harness.size, {
      frame: frames[name],
      sockets: members,
      connect: (load, count) => connectToParley(load, servers[name], count, path),
    })
  const loads = { room: await open('room', roomsPath), everyone: await open('everyone') }

  const measure = (name: keyof typeof loads) => () =>
    measureFanOut(loads[name], servers[name].server, frames[name], members, harness.size.seconds)
  const measured = await interleave(harness.size, { room: measure('room'), everyone: measure('everyone') })
  await Promise.all([...Object.values(loads), ...Object.values(servers)].map(({ stop }) => stop()))

  const perCpuSecond = (name: keyof typeof measured) => measured[name].map((each) => each.perCpuSecond)
  const figure = (name: string, samples: number[]) => ({ name, unit: 'deliveries/CPU-s', samples })
  return [
    {
      work: `Room of ${formatCount(members)} members`,
      measure: 'deliveries per CPU-second, relative to messages to as many users without rooms',
      unit: '×',
      samples: ratios(perCpuSecond('room'), perCpuSecond('everyone')),
      figures: [
        figure('messages to a room', perCpuSecond('room')),
        figure('messages to all users', perCpuSecond('everyone')),
      ],
    },
  ]
}

/** Users with the same number of rooms. */
interface Group {
  roomCount: number
  tokens: string[]
}

interface RoomService {
  parley: Parley
  /** One group for each number of rooms, in the order of `roomsOfUser`. */
  groups: [few: Group, some: Group, all: Group]
  /** The token of a user without rooms. */
  outsider: string
  /** The path that resumes a connection that has missed a number of messages in the given number of rooms. */
  path: (missed: number, roomCount: number) => string
}

/** Divides the users into groups that are in few, some and all rooms, and one user without rooms. */
function divide<User>({ resumingClients, restartedClients }: Size, users: readonly User[]) {
  const some = resumingClients + Math.max(resumingClients, restartedClients)
  return {
    few: users.slice(0, resumingClients),
    some: users.slice(resumingClients, some),
    all: users.slice(some, some + resumingClients),
    outsider: users[some + resumingClients],
    count: some + resumingClients + 1,
  }
}

async function startRoomService(harness: Harness): Promise<RoomService> {
  const { size } = harness
  const [fewRooms, someRooms, allRooms] = size.roomsOfUser
  const isIn = (room: number, roomCount: number) => room % (allRooms / roomCount) === 0
  let seeded: SeededRooms | undefined
  const seed = (file: string, users: Account[]) => {
    const { few, some, all } = divide(size, users)
    const membersOf = (room: number) => [
      ...all,
      ...(isIn(room, someRooms) ? some : []),
      ...(isIn(room, fewRooms) ? few : []),
    ]
    seeded = seedRooms(file, {
      rooms: Array.from({ length: allRooms }, (_, room) => membersOf(room)),
      messages: (size.missedInRooms * allRooms) / fewRooms,
    })
  }
  const { count } = divide(size, [])
  const parley = await harness.startParley({ accounts: count, users: count, seed })
  if (!seeded) throw new Error('No rooms were seeded')
  const { cursor } = seeded
  const { few, some, all, outsider = '' } = divide(size, parley.tokens)
  return {
    parley,
    groups: [
      { roomCount: fewRooms, tokens: few },
      { roomCount: someRooms, tokens: some },
      { roomCount: allRooms, tokens: all },
    ],
    outsider,
    // The rooms take the messages in turns, so a user in a tenth of them has missed a tenth of the messages.
    path: (missed, roomCount) => `${roomsPath}&after=${cursor((missed * allRooms) / roomCount)}`,
  }
}

async function resumeRooms(harness: Harness): Promise<Result[]> {
  const service = await startRoomService(harness)
  const load = await startSocketLoad()
  const results = [
    ...(await resumeByCount(harness, service, load)),
    ...(await resumeAfterRestart(harness, service, load)),
  ]
  await load.stop()
  return results
}

/** Clients with few, some and all rooms resume. All of them have missed equally many messages. */
async function resumeByCount(
  harness: Harness,
  { parley, groups, path }: RoomService,
  load: SocketLoad,
): Promise<Result[]> {
  const { resumingClients, missedInRooms } = harness.size
  const measure = async ({ roomCount, tokens }: Group) => {
    const { seconds } = await load.execute({
      type: 'resume',
      count: resumingClients,
      endpoint: { port: parley.server.port, path: path(missedInRooms, roomCount) },
      tokens,
      frames: missedInRooms,
    })
    await load.execute({ type: 'close' })
    return (resumingClients * missedInRooms) / seconds
  }
  const [few, some, all] = groups
  const measured = await interleave(slowRounds(harness.size), {
    few: () => measure(few),
    some: () => measure(some),
    all: () => measure(all),
  })
  const result = ({ roomCount }: Group, samples: number[]): Result => ({
    work: `Resume of ${formatCount(missedInRooms)} messages in ${roomCount} rooms, ${formatCount(resumingClients)} concurrent clients`,
    measure: 'messages per second to all clients',
    unit: 'messages/s',
    samples,
    figures: [],
  })
  return [result(few, measured.few), result(some, measured.some), result(all, measured.all)]
}

/** After each restart, the clients resume at the same time, while a client without rooms sends. */
async function resumeAfterRestart(
  harness: Harness,
  { parley, groups: [, group], outsider, path }: RoomService,
  load: SocketLoad,
): Promise<Result[]> {
  const { restartedClients, missedInRestart, seconds } = harness.size
  const sender = await startSocketLoad()
  let server = parley.server
  const measured = await repeat(slowRounds(harness.size), async () => {
    await server.stop()
    removeMessagesToAll(parley.databaseFile)
    server = await startServer(parley.options)
    await connectToParley(sender, { server, tokens: [outsider] }, 1)
    const resumed = await resumeWhileSending(sender, load, {
      type: 'resume',
      count: restartedClients,
      endpoint: { port: server.port, path: path(missedInRestart, group.roomCount) },
      tokens: group.tokens,
      frames: missedInRestart,
    })
    await load.execute({ type: 'close' })
    const idleLatenciesMs = await sendPaced(sender, seconds)
    await sender.execute({ type: 'close' })
    return {
      lastMs: resumed.seconds * 1_000,
      p99Ms: p99(resumed.latenciesMs),
      idleP99Ms: p99(idleLatenciesMs),
    }
  })
  await Promise.all([sender.stop(), server.stop()])

  const work = `${formatCount(restartedClients)} clients resume ${formatCount(missedInRestart)} messages in ${group.roomCount} rooms after a restart`
  const samples = (name: keyof (typeof measured)[number]) => measured.map((each) => each[name])
  return [
    {
      work,
      measure: 'time until the last client has received them',
      unit: 'ms',
      samples: samples('lastMs'),
      figures: [],
    },
    {
      work,
      measure: 'p99 delivery latency of another client during the resumes',
      unit: 'ms',
      samples: samples('p99Ms'),
      figures: [{ name: 'p99 delivery latency without resumes', unit: 'ms', samples: samples('idleP99Ms') }],
    },
  ]
}

/** Removes what earlier rounds have sent, so that the clients of every round have missed the same. */
function removeMessagesToAll(databaseFile: string): void {
  using database = new Database(databaseFile)
  database.run('delete from messages')
}
