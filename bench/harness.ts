// What every row needs: how much to do, a folder, the servers, and rounds that take turns.

import { mkdir, mkdtemp, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Parley, type ParleyOptions, password, root, scriptEnvironment, startParley } from './parley.ts'
import { type Server, type ServerOptions, startServer, track } from './processes.ts'
import { hashPassword } from './seed.ts'

/** How much a run does. Every number bounds its time or its load. */
export interface Size {
  rounds: number
  /** Whether a round that does not count comes first. */
  warmsUp: boolean
  /** Of one measurement in a round. */
  seconds: number
  /** Of one with logins, which are so few a second that those under way at its end count. */
  loginSeconds: number
  accounts: number
  /** Who are logged in and take turns. */
  users: number
  startUps: number
  /** Before memory is read: until the collector has been round. */
  settleSeconds: number
  /** Of the rows that hold them open: idle, many, few. */
  idleSockets: number
  manySockets: number
  fewSockets: number
  resumers: number
  missedMessages: number
  growth: Array<{ accounts: number; messages: number }>
  /** Who are active there, spread over all accounts. */
  growthUsers: number
  /** Of those that resume there. */
  growthMissed: number
  growthSockets: number[]
}

export interface Competitor {
  server: Server
  tokens: string[]
  scriptEnvironment: Record<string, string>
}

interface BaselineOptions {
  /** What it broadcasts. */
  frame?: string
  /** What it answers with beside a profile. */
  headers?: Record<string, string>
  /** Whether it makes the text of each message, and commits that to disk before. */
  durable?: boolean
}

export interface Harness {
  size: Size
  startParley: (options?: Partial<ParleyOptions>) => Promise<Parley>
  startBaseline: (options?: BaselineOptions) => Promise<Server>
  baselineOptions: (options?: BaselineOptions) => ServerOptions
  startCompetitor: () => Promise<Competitor>
  /** Verifications a second by `Bun.password.verify` alone, so many at once. */
  hashing: (concurrency: number) => Promise<number>
  /** Removes everything that the run has written. */
  clear: () => Promise<void>
}

export const connections = 64

export const sizes: Record<'full' | 'quick', Size> = {
  full: {
    rounds: 9,
    warmsUp: true,
    seconds: 2,
    loginSeconds: 4,
    settleSeconds: 4,
    accounts: 1_000,
    users: 64,
    startUps: 20,
    idleSockets: 10_000,
    manySockets: 1_000,
    fewSockets: 10,
    resumers: 100,
    missedMessages: 10_000,
    growth: [
      { accounts: 1_000, messages: 10_000 },
      { accounts: 100_000, messages: 100_000 },
      { accounts: 1_000_000, messages: 1_000_000 },
    ],
    growthUsers: 1_000,
    growthMissed: 5_000,
    growthSockets: [10, 100, 1_000, 10_000],
  },
  quick: {
    rounds: 1,
    warmsUp: false,
    seconds: 1,
    loginSeconds: 1,
    settleSeconds: 0.2,
    accounts: 100,
    users: 8,
    startUps: 3,
    idleSockets: 1_000,
    manySockets: 200,
    fewSockets: 10,
    resumers: 20,
    missedMessages: 1_000,
    growth: [
      { accounts: 100, messages: 1_000 },
      { accounts: 10_000, messages: 10_000 },
    ],
    growthUsers: 100,
    growthMissed: 500,
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
    startParley: (options) =>
      startParley(command, { folder, accounts: size.accounts, messages: 0, users: size.users, ...options }),
    startBaseline: (options) => startServer(baselineOptions(options)),
    baselineOptions,
    startCompetitor: () => startCompetitor(folder, size.users),
    hashing: (concurrency) => measureHashing(concurrency, size.loginSeconds),
    clear: () => rm(folder, { recursive: true, force: true }),
  }
}

/** Runs each in turn, in each round. The order turns about. */
export async function interleave<Name extends string, T>(
  { warmsUp, rounds }: Pick<Size, 'warmsUp' | 'rounds'>,
  runs: Record<Name, () => Promise<T>>,
): Promise<Record<Name, T[]>> {
  const names = Object.keys(runs) as Name[]
  const taken = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, T[]>
  if (warmsUp) for (const name of names) await runs[name]()
  for (let round = 0; round < rounds; round += 1) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) taken[name].push(await runs[name]())
  }
  return taken
}

/** As `interleave`, for one thing that has nothing to take turns with. */
export async function repeat<T>(size: Pick<Size, 'warmsUp' | 'rounds'>, run: () => Promise<T>): Promise<T[]> {
  return (await interleave(size, { run })).run
}

/** A commit to memory costs nothing: the data has to lie on a disk. */
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
  if ((await child.exited) !== 0) throw new Error('The reference for hashing failed')
  return (JSON.parse(output) as { perSecond: number }).perSecond
}

async function startCompetitor(folder: string, users: number): Promise<Competitor> {
  const project = join(import.meta.dir, 'competitors', 'express-socket.io')
  if (!(await Bun.file(join(project, 'node_modules', 'express', 'package.json')).exists())) {
    const install = Bun.spawn([process.execPath, 'install', '--frozen-lockfile', '--ignore-scripts'], {
      cwd: project,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    if ((await install.exited) !== 0) throw new Error('The competitor could not be installed')
  }
  const server = await startServer({
    command: [Bun.which('node') ?? process.execPath, join(project, 'server.js')],
    cwd: project,
    environment: {},
    readyPath: '/',
  })
  const usernames = Array.from({ length: users }, (_, index) => `bench.user-${index}`)
  for (const username of usernames) {
    const response = await fetch(`http://127.0.0.1:${server.port}/api/auth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username, password }),
    })
    if (response.status !== 201)
      throw new Error(`The competitor answered a registration with ${response.status}`)
  }
  const tokens = await logIn(server, usernames)
  const own = await mkdtemp(join(folder, 'competitor-'))
  return { server, tokens, scriptEnvironment: await scriptEnvironment(own, usernames, tokens) }
}

/** Logs in, one after the other. */
async function logIn({ port }: Server, usernames: readonly string[]): Promise<string[]> {
  const tokens: string[] = []
  for (const username of usernames) {
    const response = await fetch(`http://127.0.0.1:${port}/api/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username, password }),
    })
    if (!response.ok)
      throw new Error(`A login was answered with ${response.status}: ${await response.text()}`)
    tokens.push(((await response.json()) as { token: string }).token)
  }
  return tokens
}
