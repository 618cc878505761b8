import { RedisClient } from 'bun'
import { RedisUnavailable } from '../errors.ts'
import { explainFailure } from './failure.ts'

/** One connection to Redis, which is replaced whenever it is lost. */
export interface RedisConnection {
  /** Whether commands can be sent now. */
  isConnected(): boolean
  /**
   * Runs commands. They are never queued for a later connection. If they are not answered in time, the connection
   * is replaced.
   *
   * @throws RedisUnavailable
   * @throws the error that Redis has returned, such as NOSCRIPT
   */
  run<Result>(work: (client: RedisClient) => Promise<Result>): Promise<Result>
  /** Replaces the connection, because it does not do what it should. */
  replace(reason: string): void
  close(): void
}

export interface RedisConnectionOptions {
  /** Shown by `CLIENT LIST`. Without spaces. */
  readonly name: string
  /**
   * Prepares each new client before the connection counts as connected, for example by subscribing. If it
   * rejects, another client is tried later. A listener of a subscription must not throw: that would be an
   * uncaught exception.
   */
  readonly prepare?: (client: RedisClient) => Promise<unknown>
  readonly onConnected?: () => void
  readonly onLost?: () => void
  /** How long a command may take. */
  readonly commandMs?: number
}

export interface Redis {
  connect(options: RedisConnectionOptions): RedisConnection
  /** How often lost connections were replaced. */
  reconnects(): number
  /** Closes all connections. */
  close(): void
}

export interface RedisOptions {
  /** `redis://user:password@host:port/database`, or `rediss://` for TLS */
  readonly url: string
  /** Called once when the first connection is lost, or cannot be opened. No message contains the password. */
  readonly onLost: (error: RedisUnavailable) => void
  /** Called when all connections work again. Not called for the first time, unless `onLost` was called before. */
  readonly onRecovered: () => void
}

const connectTimeoutMs = 1000
const defaultCommandMs = 1500
const firstPauseMs = 50
const maxPauseMs = 1000
/** A connection that was lost sooner does not shorten the pauses again. */
const stableAfterMs = 5000

/** Errors that concern the connection. All others were returned by the server. */
const isConnectionError = (error: unknown) =>
  /^ERR_REDIS_(CONNECTION|.*TIMEOUT|AUTHENTICATION)/.test(String((error as { code?: unknown })?.code))

/** Rejects if `work` takes too long. Redis that is frozen, or a network that drops packets, never answers. */
async function withTimeout<Result>(
  work: Promise<Result>,
  ms: number,
  onTimeout: () => void,
): Promise<Result> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    reject(new RedisUnavailable(`Redis did not respond within ${ms} ms`))
    onTimeout()
  }, ms)
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

interface Status {
  lost(error: unknown): void
  /** @param again whether the connection was lost before */
  connected(again: boolean): void
}

/**
 * Opens a connection, and a new one whenever it is lost. Bun's client can reconnect, but then does not
 * subscribe again, and would send the commands of the old connection on the new one. So each client is used for one
 * connection only.
 */
function createConnection(url: string, options: RedisConnectionOptions, status: Status): RedisConnection {
  const { name, prepare, onConnected, onLost, commandMs = defaultCommandMs } = options
  let current: RedisClient | undefined
  let connected = false
  let connectedBefore = false
  let connectedAt = 0
  let pauseMs = firstPauseMs
  let retry: Timer | undefined
  let closed = false

  /** Gives a client up. What it has not sent or received yet is forgotten, so no memory is kept for it. */
  function discard(client: RedisClient, error: unknown): void {
    if (client !== current) return
    const wasConnected = connected
    current = undefined
    connected = false
    client.close()
    if (closed) return
    if (wasConnected && performance.now() - connectedAt > stableAfterMs) pauseMs = firstPauseMs
    // The pauses of several nodes differ, so that they do not all connect at the same moment.
    retry = setTimeout(open, pauseMs * (0.5 + Math.random()))
    pauseMs = Math.min(pauseMs * 2, maxPauseMs)
    status.lost(error)
    if (wasConnected) onLost?.()
  }

  async function start(client: RedisClient): Promise<void> {
    await client.connect()
    // After a failed `SELECT`, Bun's client assigns each response to the following command.
    if ((await client.send('PING', [])) !== 'PONG') throw new Error('Redis did not answer PING by PONG')
    await client.send('CLIENT', ['SETNAME', name])
    await prepare?.(client)
  }

  async function open(): Promise<void> {
    const client = new RedisClient(url, {
      autoReconnect: false,
      enableOfflineQueue: false,
      connectionTimeout: connectTimeoutMs,
    })
    current = client
    client.onclose = (error) => discard(client, error)
    try {
      await withTimeout(start(client), connectTimeoutMs + commandMs, () => {})
    } catch (error) {
      discard(client, error)
      return
    }
    if (client !== current) return
    connected = true
    connectedAt = performance.now()
    status.connected(connectedBefore)
    connectedBefore = true
    onConnected?.()
  }

  void open()
  return {
    isConnected: () => connected,
    async run(work) {
      const client = current
      if (!client || !connected) throw new RedisUnavailable('Redis is not connected')
      const late = () => discard(client, new RedisUnavailable(`Redis did not respond within ${commandMs} ms`))
      try {
        return await withTimeout(work(client), commandMs, late)
      } catch (error) {
        if (!isConnectionError(error)) throw error
        discard(client, error)
        throw new RedisUnavailable('The connection to Redis was lost', { cause: error })
      }
    },
    replace(reason) {
      if (current && connected) discard(current, new RedisUnavailable(reason))
    },
    close() {
      closed = true
      clearTimeout(retry)
      if (current) discard(current, undefined)
    },
  }
}

/** Opens connections to one Redis server, and reports once when it is lost and once when it is available again. */
export function openRedis({ url, onLost, onRecovered }: RedisOptions): Redis {
  const connections = new Set<RedisConnection>()
  /** Resolves when the current outage has been reported. */
  let outage: Promise<void> | undefined
  let reconnects = 0
  let closed = false

  async function report(error: unknown): Promise<void> {
    const reason = await explainFailure(url, error)
    if (!closed) onLost(new RedisUnavailable(reason, { cause: error }))
  }

  async function recover(): Promise<void> {
    const reported = outage
    if (!reported || ![...connections].every((each) => each.isConnected())) return
    outage = undefined
    await reported
    if (!closed) onRecovered()
  }

  return {
    connect(options) {
      const connection = createConnection(url, options, {
        lost(error) {
          if (!closed) outage ??= report(error)
        },
        connected(again) {
          if (again) reconnects++
          void recover()
        },
      })
      connections.add(connection)
      return {
        ...connection,
        close() {
          connections.delete(connection)
          connection.close()
        },
      }
    },
    reconnects: () => reconnects,
    close() {
      closed = true
      for (const connection of connections) connection.close()
    },
  }
}
