// This server as its user has it: in production mode, everything on, only the quotas raised. Its accounts
// and messages are written straight into its database, since a million registrations would take hours.

import { mkdtemp } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import asyncapi from '../spec/asyncapi.yaml'
import openapi from '../spec/openapi.yaml'
import { createTokens } from '../src/auth/tokens.ts'
import { type Server, type ServerOptions, startServer } from './processes.ts'
import { seedAccounts, seedMessages } from './seed.ts'

export interface ParleyOptions {
  /** The folder in which it gets a data folder of its own. */
  folder: string
  accounts: number
  messages: number
  /** So many accounts have a token; they lie evenly among all. */
  users: number
  /** Requests are logged into a file. Otherwise the level is warn. */
  accessLog?: boolean
}

export interface Parley {
  server: Server
  tokens: string[]
  /** What wrk's scripts read. */
  scriptEnvironment: Record<string, string>
  /** Of the data folder, which holds what was seeded. */
  databaseFile: string
  /** Starts the same data again; the server has to be stopped before. */
  options: ServerOptions
  stop: () => Promise<void>
}

export const root = resolve(import.meta.dir, '..')
export const password = 'correct horse battery staple'
/** More than any machine can use up. */
const quota = '999999999/60'
const sockets = '100000'
const messages = '100000000'
const secret = 'a secret of a benchmark, which protects nothing'
const binary = join(root, 'dist', 'parley')

/** How the server is started: the compiled program, built from what is checked out, or its source. */
export async function buildParley(): Promise<{ command: string[]; name: string }> {
  if (await Bun.file(join(root, 'scripts', 'build.ts')).exists()) {
    const build = Bun.spawn([process.execPath, 'run', 'build'], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    if ((await build.exited) !== 0) throw new Error('`bun run build` failed')
    return { command: [binary], name: 'compiled by `bun run build`' }
  }
  return { command: [process.execPath, join(root, 'src', 'main.ts')], name: 'from source' }
}

export async function startParley(command: string[], options: ParleyOptions): Promise<Parley> {
  const dataFolder = await mkdtemp(join(options.folder, 'parley-'))
  const serverOptions: ServerOptions = {
    command,
    // Away from the project, whose .env is not to be read.
    cwd: dataFolder,
    environment: {
      DATA_DIR: dataFolder,
      LOG_LEVEL: options.accessLog ? 'info' : 'warn',
      MAX_SOCKETS: sockets,
      MAX_SOCKETS_PER_USER: sockets,
      // Otherwise a full log is trimmed for as long as messages are sent.
      MESSAGE_RETENTION_COUNT: messages,
      JWT_SECRET: secret,
      DRAIN_SECONDS: '0',
      ...Object.fromEntries(policies().map((policy) => [`RATE_LIMIT_${policy.toUpperCase()}`, quota])),
    },
    readyPath: '/readyz',
    ...(options.accessLog ? { outputFile: join(dataFolder, 'access.log') } : {}),
  }
  // The first start makes the database.
  await (await startServer(serverOptions)).stop()
  const databaseFile = join(dataFolder, 'parley.sqlite')
  const accounts = await seedAccounts(databaseFile, options.accounts, password)
  seedMessages(databaseFile, options.messages)

  const server = await startServer(serverOptions)
  const step = Math.max(1, Math.floor(accounts.length / options.users))
  const chosen = accounts.filter((_, index) => index % step === 0).slice(0, options.users)
  const { issue } = await createTokens({ secret: new TextEncoder().encode(secret), ttlSeconds: 86_400 })
  const tokens = await Promise.all(chosen.map(({ id }) => issue(id)))
  const usernames = chosen.map(({ username }) => username)
  return {
    server,
    tokens,
    scriptEnvironment: await scriptEnvironment(dataFolder, usernames, tokens),
    databaseFile,
    options: serverOptions,
    stop: server.stop,
  }
}

export async function scriptEnvironment(folder: string, usernames: string[], tokens: string[]) {
  const environment = {
    TOKENS_FILE: join(folder, 'tokens'),
    USERNAMES_FILE: join(folder, 'usernames'),
    PASSWORD: password,
  }
  await Bun.write(environment.TOKENS_FILE, tokens.map((token) => `${token}\n`).join(''))
  await Bun.write(environment.USERNAMES_FILE, usernames.map((username) => `${username}\n`).join(''))
  return environment
}

/** The names of the rate-limit policies, as both documents give them. */
function policies(): string[] {
  const found = new Set<string>()
  JSON.stringify([openapi, asyncapi], (key, value) => {
    if (key === 'x-rate-limit' && typeof value.policy === 'string') found.add(value.policy)
    return value
  })
  return [...found]
}
