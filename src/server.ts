import type { Server } from 'bun'
import { createApp } from './app.ts'
import type { Keys } from './auth/keys.ts'
import type { SocketData } from './chats/connection.ts'
import type { Config } from './config.ts'
import { checkHost, explainListen, metricsSettings } from './listen-errors.ts'
import type { Logger } from './logger.ts'
import type { Metrics } from './metrics/metrics.ts'
import type { Storage } from './open-storage.ts'

export interface ServerOptions {
  readonly config: Config
  readonly storage: Storage
  /** The keys that sign and verify tokens. */
  readonly keys: Keys
  readonly logger: Logger
  /** Undefined if nothing is counted. */
  readonly metrics?: Metrics | undefined
}

export interface RunningServer {
  readonly port: number
  /** The port on which metrics are served; undefined if they are not. */
  readonly metricsPort: number | undefined
  /**
   * Stops the service: refuses new requests, completes the accepted ones, closes the WebSockets over
   * `drainSeconds`, and closes the storage.
   */
  stop(drainSeconds: number): Promise<void>
}

/** Seconds after which idle HTTP connections are closed. */
export const idleTimeoutSeconds = 30

/** How long a stop waits for running requests. The longest is a login at the end of a full queue. */
export const maxRequestMs = 10_000

/** Serves the metrics, if they are configured. @throws CannotListen */
async function startMetrics({ config, metrics }: Pick<ServerOptions, 'config' | 'metrics'>) {
  const { metricsHost: host, metricsPort: port } = config
  if (!metrics || port === undefined) return undefined
  await checkHost(host, metricsSettings.host)
  const { listenForScrapes } = await import('./metrics/listener.ts')
  try {
    return listenForScrapes({ metrics, host, port })
  } catch (error) {
    throw explainListen(error, { host, port }, metricsSettings)
  }
}

type App = Awaited<ReturnType<typeof createApp>>

/** Listens on the public address. @throws CannotListen */
function listenForClients({ config, app, chat, responses }: Pick<ServerOptions, 'config'> & App) {
  try {
    app.listen({
      hostname: config.host,
      port: config.port,
      // Otherwise a second process on the same port would silently receive half of the connections.
      reusePort: false,
      development: false,
      idleTimeout: idleTimeoutSeconds,
      // The document defines the limit, and request-body.ts enforces it with a documented response.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      websocket: chat.handlers as never,
      // Only errors of the error handling itself arrive here.
      error: (thrown: unknown) =>
        responses.problem(responses.startRequest(new Request('http://localhost'), undefined, null), thrown),
    })
  } catch (error) {
    throw explainListen(error, config)
  }
  const server = app.server as unknown as Server<SocketData> | null
  if (!server?.port) throw new Error('The server did not start')
  return { server, port: server.port }
}

/** Listens on all addresses, or on none if one of them cannot be used. @throws CannotListen */
async function listen(options: ServerOptions & App) {
  const scrapes = await startMetrics(options)
  try {
    return { scrapes, ...listenForClients(options) }
  } catch (error) {
    await scrapes?.stop()
    throw error
  }
}

/**
 * Starts the service. Port 0 selects any free port.
 *
 * @throws CannotListen if it cannot listen on the configured address
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { config, storage, keys, logger, metrics } = options
  await checkHost(config.host)
  let draining = false
  const { app, chat, responses } = await createApp({
    config,
    storage,
    keys,
    logger,
    isDraining: () => draining,
    metrics,
  })
  const { server, port, scrapes } = await listen({ ...options, app, chat, responses }).catch((error) => {
    chat.close()
    throw error
  })
  chat.attach(server)

  return {
    port,
    metricsPort: scrapes?.port,
    async stop(drainSeconds) {
      draining = true
      await chat.drain(drainSeconds)
      const deadline = performance.now() + maxRequestMs
      while (server.pendingRequests > 0 && performance.now() < deadline) await Bun.sleep(10)
      await storage.messageLog.flush()
      chat.close()
      // Closes idle keep-alive connections, which would otherwise delay the stop.
      await server.stop(true)
      await storage.close()
      // Last, so that a drain can be observed.
      await scrapes?.stop()
    },
  }
}
