// The benchmark harness: the size of a run, its temporary folder, and the servers.

import { mkdir, mkdtemp, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Competitor, type CompetitorName, competitorOptions, startCompetitor } from './competitors.ts'
import { type Parley, type ParleyOptions, password, root, scriptEnvironment, startParley } from './parley.ts'
import { type Server, type ServerOptions, startServer, track } from './processes.ts'
import { hashPassword } from './seed.ts'

/** The size of a run: durations, amounts of data, and numbers of clients. */
export interface Size {
  /** Many short rounds: what disturbs the machine for a second then affects few samples of each server. */
  rounds: number
  /** How many times the servers of a row are started anew; a divisor of `rounds`. */
  generations: number
  /** The number of rounds of rows whose rounds take long. */
  slowRounds: number
  /** The number of rounds whose results are discarded, before the others. */
  warmUpRounds: number
  /** The duration of one measurement with wrk, which takes whole seconds. */
  seconds: number
  /** The duration of one measurement with sockets. */
  socketSeconds: number
  /**
   * How long a server delivers messages to one socket before the other sockets are opened. The engine is still compiling
   * after five seconds.
   */
  socketWarmUpSeconds: number
  /** The duration of a measurement with logins. Logins are slow, so unfinished ones distort a short measurement. */
  loginSeconds: number
  accounts: number
  /** The number of users that send requests in turn. */
  users: number
  startRounds: number
  /** The wait before memory is read, so that garbage collection can finish. */
  settleSeconds: number
  /**
   * The wait until sockets count as idle. Bun returns freed memory when the process has done little for half a
   * minute.
   */
  idleSeconds: number
  /** The number of sockets in the `idle` row. */
  idleSockets: number
  /** The numbers of sockets in the `fan-out` row. */
  manySockets: number
  fewSockets: number
  /** The number of clients in the `resume` row, and the number of messages that each has missed. */
  resumingClients: number
  missedMessages: number
  /** The numbers of rooms of a user in the `rooms` row, in ascending order. The last one is the number of all rooms. */
  roomsOfUser: [few: number, some: number, all: number]
  /** The number of messages in rooms that each resuming client of the `rooms` row has missed. */
  missedInRooms: number
  /** The number of clients that resume at the same time after a restart, and of the messages that each has missed. */
  restartedClients: number
  missedInRestart: number
  /** The numbers of sockets in the `competitors` row: those that receive messages, and those that are idle. */
  competitorSockets: number[]
  competitorIdleSockets: number
  /** The number of rounds in which new servers are started to measure the memory of their sockets. */
  competitorIdleRounds: number
  /** The numbers of nodes in the `nodes` row. */
  nodeCounts: number[]
  /** The amounts of data in the `growth` row, from the smallest to the largest. */
  growth: Array<{ accounts: number; messages: number }>
  /** The number of active users in the `growth` row, spread over all accounts. */
  growthUsers: number
  /** The number of messages that each resuming client has missed in the `growth` row. */
  growthMissedMessages: number
  /** The numbers of sockets in the `growth` row, from the smallest to the largest. */
  growthSockets: number[]
}

interface BaselineOptions {
  /** The frame that the server broadcasts. */
  frame?: string
  /** The headers of the profile response. */
  headers?: Record<string, string>
  /** Whether the server commits each message to disk before it broadcasts it. */
  durable?: boolean
}

export interface Harness {
  size: Size
  /** The command that starts this server. */
  command: string[]
  /** The folder of the temporary files. */
  folder: string
  startParley: (options?: Partial<ParleyOptions>) => Promise<Parley>
  startBaseline: (options?: BaselineOptions) => Promise<Server>
  baselineOptions: (options?: BaselineOptions) => ServerOptions
  startCompetitor: (name: CompetitorName) => Promise<Competitor>
  /** The options for starting a competitor repeatedly. The first call installs its dependencies. */
  competitorOptions: (name: CompetitorName) => Promise<ServerOptions>
  /** The environment of wrk for a server that does not look at tokens. */
  anonymousScriptEnvironment: () => Promise<Record<string, string>>
  /** Measures verifications per second of `Bun.password.verify` alone, with the given concurrency. */
  measureHashing: (concurrency: number) => Promise<number>
  /** Removes the temporary files of the run. */
  removeFiles: () => Promise<void>
}

/** The number of connections that wrk opens, except for logins. */
export const connections = 64

const standard: Size = {
  rounds: 20,
  generations: 4,
  slowRounds: 9,
  warmUpRounds: 2,
  seconds: 1,
  socketSeconds: 1,
  socketWarmUpSeconds: 8,
  loginSeconds: 4,
  settleSeconds: 4,
  idleSeconds: 32,
  accounts: 1_000,
  users: 64,
  startRounds: 20,
  idleSockets: 10_000,
  manySockets: 1_000,
  fewSockets: 10,
  resumingClients: 100,
  missedMessages: 10_000,
  roomsOfUser: [5, 50, 500],
  missedInRooms: 1_000,
  restartedClients: 1_000,
  missedInRestart: 100,
  competitorSockets: [100, 1_000],
  competitorIdleSockets: 5_000,
  competitorIdleRounds: 3,
  nodeCounts: [1, 2, 3],
  growth: [
    { accounts: 1_000, messages: 10_000 },
    { accounts: 100_000, messages: 100_000 },
    { accounts: 1_000_000, messages: 1_000_000 },
  ],
  growthUsers: 1_000,
  growthMissedMessages: 5_000,
  growthSockets: [10, 100, 1_000, 10_000],
}

export const sizes: Record<'standard' | 'full' | 'quick', Size> = {
  standard,
  /** Larger amounts of data and more clients. They take minutes to prepare, so there are fewer rounds. */
  full: {
    ...standard,
    slowRounds: 5,
    resumingClients: 1_000,
    missedMessages: 5_000,
    growth: [
      { accounts: 1_000, messages: 10_000 },
      { accounts: 1_000_000, messages: 1_000_000 },
      { accounts: 1_000_000, messages: 10_000_000 },
    ],
    growthSockets: [10, 1_000, 20_000],
  },
  /** Runs each part of the code once. What would only repeat a part, such as a second number of sockets, is left out. */
  quick: {
    rounds: 1,
    generations: 1,
    slowRounds: 1,
    warmUpRounds: 0,
    seconds: 1,
    // The processor time is counted in hundredths of a second.
    socketSeconds: 0.4,
    socketWarmUpSeconds: 0,
    loginSeconds: 1,
    settleSeconds: 0.2,
    idleSeconds: 0.2,
    accounts: 100,
    users: 2,
    startRounds: 1,
    idleSockets: 1_000,
    manySockets: 200,
    fewSockets: 10,
    resumingClients: 20,
    missedMessages: 1_000,
    roomsOfUser: [2, 10, 50],
    missedInRooms: 200,
    restartedClients: 50,
    missedInRestart: 50,
    competitorSockets: [100],
    competitorIdleSockets: 200,
    competitorIdleRounds: 1,
    nodeCounts: [1, 3],
    growth: [
      { accounts: 100, messages: 1_000 },
      { accounts: 10_000, messages: 10_000 },
    ],
    growthUsers: 100,
    growthMissedMessages: 500,
    growthSockets: [10, 200],
  },
}

export async function openHarness(size: Size, command: string[]): Promise<Harness> {
  const folder = await mkdtemp(join(await diskFolder(), 'parley-bench-'))
  let databases = 0
  const baselineOptions = ({
    frame = '',
    headers,
    durable = false,
  }: BaselineOptions = {}): ServerOptions => ({
    command: [process.execPath, join(import.meta.dir, 'baselines', 'bun-serve.ts')],
    cwd: folder,
    environment: {
      FRAME: frame,
      HEADERS: headers ? JSON.stringify(headers) : '',
      DATABASE: durable ? join(folder, `baseline-${++databases}.sqlite`) : '',
    },
    readyPath: '/api/users/profile',
  })
  return {
    size,
    command,
    folder,
    startParley: (options) =>
      startParley(command, { folder, accounts: size.accounts, messages: 0, users: size.users, ...options }),
    startBaseline: (options) => startServer(baselineOptions(options)),
    baselineOptions,
    startCompetitor: (name) => startCompetitor(name, folder, size.users),
    competitorOptions: (name) => competitorOptions(name, folder),
    anonymousScriptEnvironment: async () =>
      scriptEnvironment(await mkdtemp(join(folder, 'anonymous-')), ['anonymous'], ['none']),
    measureHashing: (concurrency) => measureHashing(concurrency, size.loginSeconds),
    removeFiles: () => rm(folder, { recursive: true, force: true }),
  }
}

/** Returns a folder that is not on tmpfs, because commits have to reach a disk. */
async function diskFolder() {
  const tmpfs = 0x01021994
  if ((await statfs(tmpdir())).type !== tmpfs) return tmpdir()
  const folder = join(root, 'reports')
  await mkdir(folder, { recursive: true })
  return folder
}

async function measureHashing(concurrency: number, seconds: number): Promise<number> {
  const environment = {
    HASH: await hashPassword(password),
    PASSWORD: password,
    CONCURRENCY: String(concurrency),
    SECONDS: String(seconds),
  }
  const child = track(
    Bun.spawn([process.execPath, join(import.meta.dir, 'baselines', 'hashing.ts')], {
      env: environment,
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  )
  const output = await new Response(child.stdout).text()
  if ((await child.exited) !== 0) throw new Error('The baseline for hashing failed')
  return (JSON.parse(output) as { perSecond: number }).perSecond
}
