import type { SQL } from 'bun'
import { UnusableStorage } from '../errors.ts'
import type { Replication } from './log-origin.ts'
import { checkRelease, migrate, readApplied, requireMigrated } from './migrations.ts'
import { createPool, openClient, type Pool } from './pool.ts'
import { describeServer, explainStart } from './start-errors.ts'

export interface PostgresOptions {
  /** `postgres://user:password@host:port/database` */
  readonly url: string
  /** How long a request may wait for the database. */
  readonly timeoutMs: number
  /** The epoch of the log, if it does not exist yet. Without it, nothing is created or migrated. */
  readonly epoch?: string
  /** Default: asynchronous. */
  readonly replication?: Replication
}

export interface PostgresConnection {
  /** For accounts, reads of the log and background work. */
  readonly pool: Pool
  /** One connection for appends only, so that they do not wait for reads. */
  readonly appends: Pool
  /** One connection for the feed of changes only, so that it is never late. */
  readonly feed: Pool
  /** One connection for shared limits only, for which requests may wait. */
  readonly limits: Pool
  /** How long one attempt of a statement may take. */
  readonly attemptMs: number
  /** Whether a new epoch of the log has begun, because messages may have been lost. */
  readonly startedEpoch: boolean
  close(): Promise<void>
}

/** The number of connections for accounts and reads. */
const poolSize = 8

/** The feed has to be read within 750 ms, so a frozen connection has to be replaced before. */
const feedAttemptMs = 400

/** If the limits take longer, a node applies them on its own. */
const limitsAttemptMs = 1000

/** A migration may take longer than a request. The server shows it as `10min`. */
const startTimeoutMs = 600_000

const oldestVersion = 15

/** What a server says about itself. */
export interface ServerState {
  readonly version: number
  readonly versionText: string
  readonly encoding: string
  readonly isReplica: boolean
  readonly isReadOnly: boolean
  readonly isDurable: boolean
  /** Whether the session has the settings that it was opened with. */
  readonly keepsSettings: boolean
}

/** @throws UnusableStorage */
export function checkServer(state: ServerState, url: string): void {
  const { address, database } = describeServer(url)
  const refuse = (text: string) => {
    throw new UnusableStorage(`DATABASE_URL: the server at ${address} ${text}`)
  }
  if (Math.floor(state.version / 10_000) < oldestVersion) {
    refuse(`runs PostgreSQL ${state.versionText}. Parley needs version ${oldestVersion} or newer.`)
  }
  if (!state.keepsSettings) {
    refuse('is a connection pooler that ignores the settings of a session. Connect to PostgreSQL directly.')
  }
  if (state.isReplica) refuse('is a read-only replica. Connect to the primary.')
  if (state.isReadOnly) {
    refuse('allows only reading transactions (default_transaction_read_only). Turn this setting off.')
  }
  if (state.encoding !== 'UTF8') {
    refuse(`stores the database ${database} in the encoding ${state.encoding}. Create a database in UTF8.`)
  }
  if (!state.isDurable) {
    refuse(
      'has turned synchronous_commit or fsync off, so confirmed messages could be lost. Turn both settings on.',
    )
  }
}

/**
 * Connects to the server, checks it, and runs `work`.
 *
 * @throws UnusableStorage
 */
export async function withServer(url: string, work: (client: SQL) => Promise<void>): Promise<void> {
  const client = openClient({ url, name: 'parley start', size: 1, attemptMs: startTimeoutMs })
  try {
    const [state] = await client`
      select current_setting('server_version_num')::int as version,
        current_setting('server_version') as "versionText",
        current_setting('server_encoding') as encoding,
        pg_is_in_recovery() as "isReplica",
        current_setting('transaction_read_only') = 'on' as "isReadOnly",
        current_setting('synchronous_commit') <> 'off' and current_setting('fsync') = 'on' as "isDurable",
        current_setting('statement_timeout') = '10min' as "keepsSettings"`
    checkServer(state as ServerState, url)
    await work(client)
  } catch (error) {
    throw explainStart(error, url)
  } finally {
    await client.close({ timeout: 0 }).catch(() => {})
  }
}

/** What prevents the service from using the server, or undefined. It changes nothing. */
export async function inspectServer(url: string): Promise<string | undefined> {
  try {
    await withServer(url, async (client) => {
      checkRelease((await readApplied(client)) ?? [])
    })
    return undefined
  } catch (error) {
    if (error instanceof UnusableStorage) return error.message
    throw error
  }
}

/**
 * Connects to the server, checks it, and applies pending migrations.
 *
 * @throws UnusableStorage if the service cannot start with it; the message says what to do
 */
export async function openPostgres(options: PostgresOptions): Promise<PostgresConnection> {
  const { url, timeoutMs, epoch, replication = 'asynchronous' } = options
  let startedEpoch = false
  await withServer(url, async (client) => {
    if (epoch === undefined) await requireMigrated(client)
    else startedEpoch = await migrate(client, epoch, replication)
  })
  const attemptMs = Math.min(5000, Math.max(500, timeoutMs / 5))
  const pool = createPool({ url, name: 'parley', size: poolSize, attemptMs })
  const appends = createPool({ url, name: 'parley appends', size: 1, attemptMs })
  const feed = createPool({ url, name: 'parley feed', size: 1, attemptMs: feedAttemptMs })
  const limits = createPool({ url, name: 'parley limits', size: 1, attemptMs: limitsAttemptMs })
  return {
    pool,
    appends,
    feed,
    limits,
    attemptMs,
    startedEpoch,
    async close() {
      await Promise.allSettled([pool.close(), appends.close(), feed.close(), limits.close()])
    },
  }
}
