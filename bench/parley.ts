// Starts Parley as in production: all features are enabled, and only quotas and capacity limits are raised.
// Accounts and messages are inserted directly into the database, because a million registrations would take hours.

import { mkdtemp } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import asyncapi from '../spec/asyncapi.yaml'
import openapi from '../spec/openapi.yaml'
import { generateSecret, importSecret } from '../src/auth/secrets.ts'
import { createTokens } from '../src/auth/tokens.ts'
import { type Server, type ServerOptions, startServer } from './processes.ts'
import { type Account, seedAccounts, seedMessages } from './seed.ts'

export interface ParleyOptions {
  /** The parent of the server's data folder. */
  folder: string
  accounts: number
  messages: number
  /** The number of accounts that have a token. They are spread evenly over all accounts. */
  users: number
  /** Writes an access log to a file. Without it, the log level is `warn`. */
  accessLog?: boolean
  /** Serves metrics. */
  metrics?: boolean
  /** Adds further data to the database before the server starts. @param users those who have a token */
  seed?: (databaseFile: string, users: Account[]) => void
}

export interface Parley {
  server: Server
  tokens: string[]
  /** The environment variables for the scripts of wrk. */
  scriptEnvironment: Record<string, string>
  /** The database with the seeded accounts and messages. */
  databaseFile: string
  /** Starts another server on the same data, after this one has stopped. */
  options: ServerOptions
  stop: () => Promise<void>
}

export const root = resolve(import.meta.dir, '..')
export const password = 'correct horse battery staple'
/** A quota that no benchmark can exhaust. */
const quota = '999999999/60'
const maxSockets = '100000'
const retainedMessages = '100000000'
const secret = generateSecret()
export const sourceCommand = [process.execPath, join(root, 'src', 'main.ts')]
const binary = join(root, 'dist', 'parley')

/** Builds the compiled server from the working copy. */
export async function buildParley(): Promise<{ command: string[]; name: string }> {
  const build = Bun.spawn([process.execPath, 'run', 'build'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if ((await build.exited) !== 0) throw new Error('`bun run build` failed')
  return { command: [binary], name: 'compiled by `bun run build`' }
}

export async function startParley(command: string[], options: ParleyOptions): Promise<Parley> {
  const dataFolder = await mkdtemp(join(options.folder, 'parley-'))
  const serverOptions: ServerOptions = {
    command,
    // Bun reads .env from the working directory: do not use the project folder.
    cwd: dataFolder,
    environment: {
      ...serverEnvironment(),
      DATA_DIR: dataFolder,
      LOG_LEVEL: options.accessLog ? 'info' : 'warn',
      ...(options.metrics && { METRICS_PORT: '0' }),
    },
    readyPath: '/readyz',
    ...(options.accessLog ? { outputFile: join(dataFolder, 'access.log') } : {}),
  }
  // The first start creates the database.
  await (await startServer(serverOptions)).stop()
  const databaseFile = join(dataFolder, 'parley.sqlite')
  const accounts = await seedAccounts(databaseFile, options.accounts, password)
  seedMessages(databaseFile, options.messages)
  const step = Math.max(1, Math.floor(accounts.length / options.users))
  const selected = accounts.filter((_, index) => index % step === 0).slice(0, options.users)
  options.seed?.(databaseFile, selected)

  const server = await startServer(serverOptions)
  const tokens = await issueTokens(selected)
  const usernames = selected.map(({ username }) => username)
  return {
    server,
    tokens,
    scriptEnvironment: await scriptEnvironment(dataFolder, usernames, tokens),
    databaseFile,
    options: serverOptions,
    stop: server.stop,
  }
}

/** The settings of each server of the benchmark, except for those of its storage. */
export function serverEnvironment(): Record<string, string> {
  return {
    LOG_LEVEL: 'warn',
    MAX_SOCKETS: maxSockets,
    MAX_SOCKETS_PER_USER: maxSockets,
    // Prevents the server from trimming the message log during the measurement.
    MESSAGE_RETENTION_COUNT: retainedMessages,
    JWT_SECRET: secret,
    DRAIN_SECONDS: '0',
    ...Object.fromEntries(policyNames().map((policy) => [`RATE_LIMIT_${policy.toUpperCase()}`, quota])),
  }
}

/** Issues a token for each user with the server's own code, because logins take long. */
export async function issueTokens(users: ReadonlyArray<{ id: string; username: string }>): Promise<string[]> {
  const keys = { current: await importSecret(secret), previous: [] }
  const { issue } = createTokens({ keys, ttlSeconds: 86_400 })
  return Promise.all(
    users.map(async ({ id, username }) => {
      const { token } = await issue({ user: { id, username }, tokensValidFrom: 0 })
      return token
    }),
  )
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

/** The names of all rate-limit policies in both API documents. */
function policyNames(): string[] {
  const names = new Set<string>()
  JSON.stringify([openapi, asyncapi], (key, value) => {
    if (key === 'x-rate-limit' && typeof value.policy === 'string') names.add(value.policy)
    return value
  })
  return [...names]
}
