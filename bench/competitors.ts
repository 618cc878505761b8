// Starts the competitors: the same API on other stacks, each in a folder with its own dependencies and lock file.
// Each is set up as its own documentation recommends, and commits every message to disk before it delivers it.

import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { password, scriptEnvironment } from './parley.ts'
import { type Server, type ServerOptions, startServer } from './processes.ts'

export interface CompetitorKind {
  title: string
  runtime: 'bun' | 'node'
  /** Where and with what a user registers and logs in, and which property of the response is the token. */
  register: { path: string; body: (username: string) => object }
  login: { path: string; body: (username: string) => object; token: string }
  profilePath: string
  sendPath: string
  /** The path and the greetings of its WebSocket, see `SocketCommand`. */
  socketPath: string
  greetings: Array<{ frame: string; responses: number }>
  /** The frame that broadcasts a JSON text. */
  frame: (json: string) => string
}

export interface Competitor {
  kind: CompetitorKind
  server: Server
  tokens: string[]
  scriptEnvironment: Record<string, string>
}

/** Engine.IO and Socket.IO open with one frame each, the second in response to `40`. */
const socketIo = {
  socketPath: '/socket.io/?EIO=4&transport=websocket',
  greetings: [{ frame: '40', responses: 2 }],
}
const webSocket = { socketPath: '/', greetings: [], frame: (json: string) => json }
const credentials = (username: string) => ({ username, password })
/** The paths and bodies of this server's documents. */
const documented = {
  register: { path: '/api/auth/register', body: credentials },
  login: { path: '/api/auth/login', body: credentials, token: 'token' },
  profilePath: '/api/users/profile',
  sendPath: '/api/chats/send',
}

/** The names are those of the folders in bench/competitors. */
export const competitorKinds = {
  elysia: { title: 'Elysia', runtime: 'bun', ...documented, ...webSocket },
  hono: {
    title: 'Hono and better-auth',
    runtime: 'bun',
    ...documented,
    register: {
      path: '/api/auth/sign-up/email',
      body: (username) => ({ ...credentials(username), name: username, email: `${username}@example.com` }),
    },
    login: { path: '/api/auth/sign-in/username', body: credentials, token: 'token' },
    ...webSocket,
  },
  feathers: {
    title: 'FeathersJS',
    runtime: 'node',
    register: { path: '/users', body: credentials },
    login: {
      path: '/authentication',
      body: (username) => ({ strategy: 'local', ...credentials(username) }),
      token: 'accessToken',
    },
    profilePath: '/profile',
    sendPath: '/messages',
    socketPath: socketIo.socketPath,
    greetings: [
      ...socketIo.greetings,
      { frame: '420["create","authentication",{"strategy":"jwt","accessToken":"TOKEN"}]', responses: 3 },
    ],
    frame: (json) => `42["create","messages",${json}]`,
  },
  'express-socket.io': {
    title: 'Express and Socket.IO',
    runtime: 'node',
    ...documented,
    ...socketIo,
    frame: (json) => `42["message",${json}]`,
  },
} as const satisfies Record<string, CompetitorKind>

export type CompetitorName = keyof typeof competitorKinds

export async function competitorOptions(name: CompetitorName, folder: string): Promise<ServerOptions> {
  const project = join(import.meta.dir, 'competitors', name)
  await install(project)
  const node = competitorKinds[name].runtime === 'node' ? Bun.which('node') : null
  return {
    command: [node ?? process.execPath, join(project, 'server.js')],
    cwd: project,
    environment: { DATABASE: join(await mkdtemp(join(folder, 'competitor-')), 'database.sqlite') },
    readyPath: competitorKinds[name].profilePath,
  }
}

export async function startCompetitor(
  name: CompetitorName,
  folder: string,
  users: number,
): Promise<Competitor> {
  const kind: CompetitorKind = competitorKinds[name]
  const server = await startServer(await competitorOptions(name, folder))
  const { register, login } = kind
  // One after the other: the server hashes passwords with all processors.
  const usernames = Array.from({ length: users }, (_, index) => `bench.user.${index}`)
  const tokens: string[] = []
  for (const username of usernames) {
    await post(server, register.path, register.body(username))
    const response = await post(server, login.path, login.body(username))
    tokens.push(String(response[login.token]))
  }
  const scriptFolder = await mkdtemp(join(folder, 'competitor-'))
  return { kind, server, tokens, scriptEnvironment: await scriptEnvironment(scriptFolder, usernames, tokens) }
}

async function post({ port }: Server, path: string, body: object): Promise<Record<string, unknown>> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!response.ok)
    throw new Error(`The response to ${path} was ${response.status}: ${await response.text()}`)
  return (await response.json()) as Record<string, unknown>
}

async function install(project: string) {
  const installed = Bun.spawn([process.execPath, 'install', '--frozen-lockfile', '--ignore-scripts'], {
    cwd: project,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if ((await installed.exited) !== 0) throw new Error(`The dependencies of ${project} could not be installed`)
}
