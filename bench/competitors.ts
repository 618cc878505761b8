// Starts the competitors: the same API on other stacks, each in a folder with its own dependencies and lock file.
// Each is set up as its own documentation recommends, and commits every message to disk before it delivers it.

import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { password, scriptEnvironment } from './parley.ts'
import { type Server, type ServerOptions, startServer } from './processes.ts'

export interface CompetitorKind {
  title: string
  runtime: 'bun' | 'node'
  register: string
  login: string
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
const paths = { register: '/api/auth/register', login: '/api/auth/login' }

/** The names are those of the folders in bench/competitors. */
export const competitorKinds = {
  elysia: { title: 'Elysia', runtime: 'bun', ...paths, ...webSocket },
  'express-socket.io': {
    title: 'Express and Socket.IO',
    runtime: 'node',
    ...paths,
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
    readyPath: '/api/users/profile',
  }
}

export async function startCompetitor(
  name: CompetitorName,
  folder: string,
  users: number,
): Promise<Competitor> {
  const kind: CompetitorKind = competitorKinds[name]
  const server = await startServer(await competitorOptions(name, folder))
  const usernames = Array.from({ length: users }, (_, index) => `bench.user-${index}`)
  for (const username of usernames) await post(server, kind.register, { username, password })
  // One after the other: the server hashes passwords with all processors.
  const tokens: string[] = []
  for (const username of usernames) {
    const response = await post(server, kind.login, { username, password })
    tokens.push(((await response.json()) as { token: string }).token)
  }
  const scriptFolder = await mkdtemp(join(folder, 'competitor-'))
  return { kind, server, tokens, scriptEnvironment: await scriptEnvironment(scriptFolder, usernames, tokens) }
}

async function post({ port }: Server, path: string, body: object): Promise<Response> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!response.ok)
    throw new Error(`The response to ${path} was ${response.status}: ${await response.text()}`)
  return response
}

async function install(project: string) {
  const installed = Bun.spawn([process.execPath, 'install', '--frozen-lockfile', '--ignore-scripts'], {
    cwd: project,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if ((await installed.exited) !== 0) throw new Error(`The dependencies of ${project} could not be installed`)
}
