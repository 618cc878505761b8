import { Database as Sqlite } from 'bun:sqlite'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Keys } from '../../../src/auth/keys.ts'
import { generateSecret, importSecret } from '../../../src/auth/secrets.ts'
import { createTokens } from '../../../src/auth/tokens.ts'
import { readConfig } from '../../../src/config.ts'
import { policyNames } from '../../../src/contract/policies.ts'
import { createLogger } from '../../../src/logger.ts'
import { openMetrics } from '../../../src/metrics/open-metrics.ts'
import { openStorage, type Storage } from '../../../src/open-storage.ts'
import { startServer } from '../../../src/server.ts'

/** The secret of the services that `startService` starts. */
export const secret = generateSecret()

export const keys: Keys = { current: await importSecret(secret), previous: [] }

/** Creates a temporary folder. `await using` removes it. */
export async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), 'parley-unit-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

interface ServiceOptions {
  /** Wraps or replaces ports of the storage. */
  readonly wrapStorage?: (storage: Storage) => Storage
  /** The keys of the service and of `account`. */
  readonly keys?: Keys
}

/** Waits until the service notices what another program has committed, which takes a millisecond at most. */
export const untilNoticed = () => Bun.sleep(5)

/**
 * Starts the whole service on its own port, configured as in production, with rate limits disabled unless
 * `environment` enables them. `await using` stops it.
 */
export async function startService(
  environment: Readonly<Record<string, string>> = {},
  { wrapStorage = (storage) => storage, keys: serviceKeys = keys }: ServiceOptions = {},
) {
  const folder = await temporaryFolder()
  const config = readConfig(
    {
      NODE_ENV: 'production',
      RATE_LIMITS: 'off',
      DRAIN_SECONDS: '0',
      DATA_DIR: folder.path,
      HOST: '127.0.0.1',
      PORT: '0',
      ...environment,
    },
    policyNames,
  )
  const lines: string[] = []
  const level = environment.LOG_LEVEL === undefined ? 'trace' : config.logLevel
  const logger = createLogger({ level, write: (line) => void lines.push(line) })
  const metrics = await openMetrics(config)
  const onError = () => metrics?.backgroundFailure()
  const storage = wrapStorage(await openStorage(config, { onError, metrics: metrics?.log }))
  const server = await startServer({ config, storage, keys: serviceKeys, logger, metrics }).catch(
    async (error) => {
      await storage.close()
      await folder[Symbol.asyncDispose]()
      throw error
    },
  )
  const tokens = createTokens({
    keys: serviceKeys,
    ttlSeconds: config.tokenTtlSeconds,
    audience: config.jwtAudience,
  })
  const url = `http://127.0.0.1:${server.port}`

  return {
    url,
    /** The URL of the metrics, with METRICS_PORT. */
    metricsUrl: `http://127.0.0.1:${server.metricsPort}/metrics`,
    dataDir: config.dataDir,
    storage,
    /** The log lines so far, each a JSON text. */
    lines,
    /** Creates an account that cannot log in, and its token, without the cost of hashing a password. */
    async account(username: string) {
      const user = await storage.users.add(username, 'no hash')
      if (!user) throw new Error(`${username} is taken`)
      const { token } = await tokens.issue({ user, tokensValidFrom: 0 })
      return { user, token }
    },
    /** Opens another connection to the database file, as an operator does. */
    openFile: () => new Sqlite(join(folder.path, 'parley.sqlite')),
    get: (path: string, token?: string, headers: Record<string, string> = {}) =>
      fetch(url + path, { headers: { ...(token !== undefined && bearer(token)), ...headers } }),
    post: (path: string, body: unknown, headers: Record<string, string> = {}, method = 'POST') =>
      fetch(url + path, {
        method,
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      }),
    async [Symbol.asyncDispose]() {
      await server.stop(0)
      await folder[Symbol.asyncDispose]()
    },
  }
}

export type Service = Awaited<ReturnType<typeof startService>>

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** The status and the problem code of a response. */
export async function outcome(pending: Response | Promise<Response>): Promise<[number, string | undefined]> {
  const response = await pending
  const { code } = (await response.json()) as { code?: string }
  return [response.status, code]
}
