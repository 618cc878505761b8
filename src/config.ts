import type { BlockList } from 'node:net'
import { resolve } from 'node:path'
import { type KeySettings, readKeySettings } from './auth/key-settings.ts'
import { originFault } from './http/origins.ts'
import { ipVersion, parseIpAddress } from './limits/ip-address.ts'
import { type LogLevel, logLevels } from './logger.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** A rate limit that the operator has changed. */
export interface RateLimitOverride {
  readonly quota: number
  /** Seconds. */
  readonly window: number
}

/** How the database is replicated to its standbys, if it has any. */
export type DatabaseReplication = 'asynchronous' | 'synchronous'

export interface Config extends KeySettings {
  readonly host: string
  /** 0 selects any free port. */
  readonly port: number
  /** The address on which metrics are served. */
  readonly metricsHost: string
  /** The port on which metrics are served, 0 for any free one; undefined if they are not served. */
  readonly metricsPort: number | undefined
  readonly dataDir: string
  /** The PostgreSQL database that all nodes share. Without it, the service uses SQLite in `dataDir`. */
  readonly databaseUrl: string | undefined
  /** The Redis server that carries messages between nodes. Without it, nodes read them from the database. */
  readonly redisUrl: string | undefined
  /** How long a request may wait for PostgreSQL. */
  readonly storageTimeoutSeconds: number
  /** Whether every commit is on the standby that would be promoted. */
  readonly databaseReplication: DatabaseReplication
  readonly tokenTtlSeconds: number
  /** How many days after a login its tokens can be renewed; 0 if they cannot be renewed. */
  readonly sessionMaxDays: number
  /** Whether anyone may register, or only operators create accounts. */
  readonly registrationOpen: boolean
  /** Whether every user may create rooms, or only operators. */
  readonly roomCreationOpen: boolean
  /**
   * Origins whose pages may send requests and connect, `*` for all, or `https://*.example.com` for all
   * subdomains; in development, the origins of localhost as well.
   */
  readonly corsOrigins: readonly string[]
  readonly development: boolean
  /** Whether the landing page contains the try-it page. */
  readonly tryPage: boolean
  readonly logLevel: LogLevel
  /** Whether log lines contain the addresses of clients. */
  readonly logClientAddress: boolean
  readonly rateLimits: boolean
  readonly rateLimitOverrides: Readonly<Record<string, RateLimitOverride>>
  /** Proxies whose X-Forwarded-For is trusted; undefined if there are none. */
  readonly trustedProxies: BlockList | undefined
  readonly maxSockets: number
  readonly maxSocketsPerUser: number
  readonly socketBufferBytes: number
  readonly drainSeconds: number
  readonly messageRetentionDays: number
  readonly messageRetentionCount: number
}

export class ConfigError extends Error {
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    super(`The configuration is invalid:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`)
    this.faults = faults
  }
}

const rateLimitPrefix = 'RATE_LIMIT_'

/**
 * Reads the configuration from environment variables. An empty variable counts as unset.
 *
 * @param policies the names of the rate-limit policies, for `RATE_LIMIT_<POLICY>`
 * @throws ConfigError with all faults; no message repeats a secret
 */
export function readConfig(environment: Environment, policies: readonly string[]): Config {
  const faults: string[] = []
  const text = (name: string) => environment[name]?.trim() || undefined

  function integer(name: string, fallback: number, minimum: number, maximum: number): number {
    const value = text(name)
    if (value === undefined) return fallback
    const number = /^\d+$/.test(value) ? Number(value) : Number.NaN
    if (number >= minimum && number <= maximum) return number
    faults.push(`${name} must be an integer from ${minimum} to ${maximum}`)
    return fallback
  }

  function choice<Choice extends string>(name: string, fallback: Choice, choices: readonly Choice[]): Choice {
    const value = (text(name) ?? fallback).toLowerCase()
    const chosen = choices.find((each) => each.toLowerCase() === value)
    if (chosen === undefined) faults.push(`${name} must be one of ${choices.join(', ')}`)
    return chosen ?? fallback
  }

  const list = (name: string) =>
    (text(name) ?? '')
      .split(',')
      .map((item) => item.trim())
      .filter(Boolean)

  function host(name: string, fallback: string): string {
    const value = text(name) ?? fallback
    const address = value.replace(/^\[(.*)\]$/, '$1')
    if (ipVersion(address) === 6 || /^[a-z0-9_][a-z0-9_.-]*$/i.test(value)) return address
    faults.push(
      `${name} must be an address or a host name, without a scheme and without a port: not ${value}`,
    )
    return fallback
  }

  function origins(name: string): string[] {
    return list(name).filter((item) => {
      const fault = originFault(item)
      if (fault === undefined) return true
      faults.push(`${name} must list origins such as https://app.example.com, or *: ${item} ${fault}`)
      return false
    })
  }

  function addresses(name: string): BlockList | undefined {
    const items = list(name)
    if (items.length === 0) return undefined
    // Loaded only here, because the module would delay each start (docs/decisions/startup.md).
    const { BlockList } = process.getBuiltinModule('node:net')
    const blocks = new BlockList()
    for (const item of items) {
      const [written = '', prefix, rest] = item.split('/')
      const address = parseIpAddress(written)
      const writtenBits = written.includes(':') ? 128 : 32
      const prefixBits = prefix === undefined ? writtenBits : Number(prefix)
      const fits = /^\d*$/.test(prefix ?? '') && prefix !== '' && prefixBits <= writtenBits
      if (!address || !fits || rest !== undefined) {
        faults.push(`${name} must list addresses or CIDR blocks such as 10.0.0.0/8: not ${item}`)
        continue
      }
      // Of an IPv4 address that is mapped into IPv6, the last 32 bits are the IPv4 address.
      const bits = address.family === 'ipv4' ? Math.max(0, prefixBits - (writtenBits - 32)) : prefixBits
      if (bits === 0) faults.push(`${name} must not trust every address: ${item}`)
      else blocks.addSubnet(address.text, bits, address.family)
    }
    return blocks
  }

  function databaseUrl(): string | undefined {
    const url = readDatabaseUrl(environment)
    const fault = url === undefined ? undefined : databaseUrlFault(url)
    if (fault !== undefined) faults.push(fault)
    return url
  }

  function redisUrl(): string | undefined {
    const url = text('REDIS_URL')
    if (url === undefined) return undefined
    if (!isRedisUrl(url)) {
      faults.push('REDIS_URL must be a URL such as redis://user:password@host:6379, or rediss:// for TLS')
    }
    if (text('DATABASE_URL') === undefined) {
      faults.push('REDIS_URL needs DATABASE_URL: Redis only connects nodes that share a PostgreSQL database')
    }
    return url
  }

  function overrides(): Record<string, RateLimitOverride> {
    const found: Record<string, RateLimitOverride> = {}
    const known = new Map(policies.map((policy) => [rateLimitPrefix + policy.toUpperCase(), policy]))
    for (const [name, policy] of known) {
      const value = text(name)
      if (value === undefined) continue
      const match = /^([1-9]\d{0,8})\s*\/\s*([1-9]\d{0,4})$/.exec(value)
      if (match) found[policy] = { quota: Number(match[1]), window: Number(match[2]) }
      else faults.push(`${name} must be quota/window in seconds, such as 10/60`)
    }
    for (const name of Object.keys(environment)) {
      if (!name.startsWith(rateLimitPrefix) || known.has(name) || text(name) === undefined) continue
      const names = policies.map((policy) => policy.toUpperCase()).join(', ')
      faults.push(`${name} does not name a policy; the policies are ${names}`)
    }
    return found
  }

  const development =
    choice('NODE_ENV', 'production', ['development', 'production', 'test']) === 'development'
  const config: Config = {
    host: host('HOST', '127.0.0.1'),
    port: integer('PORT', 3000, 0, 65_535),
    metricsHost: host('METRICS_HOST', '127.0.0.1'),
    metricsPort: text('METRICS_PORT') === undefined ? undefined : integer('METRICS_PORT', 0, 0, 65_535),
    dataDir: readDataDir(environment),
    databaseUrl: databaseUrl(),
    redisUrl: redisUrl(),
    storageTimeoutSeconds: integer('STORAGE_TIMEOUT_SECONDS', 10, 1, 60),
    databaseReplication: choice<DatabaseReplication>('DATABASE_REPLICATION', 'asynchronous', [
      'asynchronous',
      'synchronous',
    ]),
    ...readKeySettings({ environment, choice, faults }),
    tokenTtlSeconds: integer('TOKEN_TTL_SECONDS', 86_400, 1, 31_536_000),
    sessionMaxDays: integer('SESSION_MAX_DAYS', 30, 0, 36_500),
    registrationOpen: choice('REGISTRATION', 'open', ['open', 'closed']) === 'open',
    roomCreationOpen: choice('ROOM_CREATION', 'everyone', ['everyone', 'operator']) === 'everyone',
    corsOrigins: origins('CORS_ORIGINS'),
    development,
    tryPage: choice('TRY_PAGE', development ? 'on' : 'off', ['on', 'off']) === 'on',
    logLevel: choice('LOG_LEVEL', 'info', logLevels),
    logClientAddress: choice('LOG_CLIENT_ADDRESS', 'on', ['on', 'off']) === 'on',
    rateLimits: choice('RATE_LIMITS', 'on', ['on', 'off']) === 'on',
    rateLimitOverrides: overrides(),
    trustedProxies: addresses('TRUSTED_PROXIES'),
    maxSockets: integer('MAX_SOCKETS', 10_000, 1, 1_000_000),
    maxSocketsPerUser: integer('MAX_SOCKETS_PER_USER', 10, 1, 1_000_000),
    socketBufferBytes: integer('SOCKET_BUFFER_BYTES', 1_048_576, 65_536, 1_073_741_824),
    drainSeconds: integer('DRAIN_SECONDS', 5, 0, 600),
    messageRetentionDays: integer('MESSAGE_RETENTION_DAYS', 30, 1, 36_500),
    messageRetentionCount: integer('MESSAGE_RETENTION_COUNT', 1_000_000, 1, 1_000_000_000),
  }
  if (config.metricsPort !== undefined && config.metricsPort > 0 && config.metricsPort === config.port) {
    faults.push('METRICS_PORT must differ from PORT: metrics are not served on the public port')
  }
  const sharedKey = config.jwtAlgorithm === 'EdDSA' ? 'JWT_PRIVATE_KEY' : 'JWT_SECRET'
  if (config.databaseUrl !== undefined && !text(sharedKey)) {
    faults.push(`${sharedKey} must be set with DATABASE_URL: all nodes have to sign with the same key`)
  }
  if (faults.length > 0) throw new ConfigError(faults)
  return Object.freeze(config)
}

/** The URL of the PostgreSQL database, for commands that need no other setting. */
export const readDatabaseUrl = (environment: Environment): string | undefined =>
  environment.DATABASE_URL?.trim() || undefined

/** Those of libpq. */
const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full']

/** What is wrong with the URL. The value is not repeated, because it can contain a password. */
export function databaseUrlFault(value: string): string | undefined {
  const url = URL.parse(value)
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol) || url.hostname === '') {
    return 'DATABASE_URL must be a URL such as postgres://user:password@host:5432/database'
  }
  const mode = url.searchParams.get('sslmode')
  if (mode === null || sslModes.includes(mode)) return undefined
  return `DATABASE_URL: sslmode must be one of ${sslModes.join(', ')}`
}

/** The path is the number of a database. Parameters have no meaning, so one is probably a mistake. */
function isRedisUrl(value: string): boolean {
  const url = URL.parse(value)
  if (url === null || url.hostname === '' || !/^rediss?:$/.test(url.protocol)) return false
  return /^(\/\d{0,9})?$/.test(url.pathname) && url.search === '' && url.hash === ''
}

/** The data folder, for commands that need no other setting. */
export const readDataDir = (environment: Environment): string =>
  resolve(environment.DATA_DIR?.trim() || './data')

/** The names of all settings: those that `readConfig` looks up. */
export function settingNames(policies: readonly string[]): string[] {
  const names = new Set<string>()
  const recorder = new Proxy<Record<string, string>>(
    {},
    {
      get(_, name) {
        names.add(String(name))
        return undefined
      },
    },
  )
  readConfig(recorder, policies)
  return [...names]
}
