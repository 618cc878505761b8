import { loadKeys } from '../auth/load-keys.ts'
import type { Config } from '../config.ts'
import { openapi } from '../contract/documents.ts'
import { policyNames } from '../contract/policies.ts'
import { describeError } from '../http/error-handler.ts'
import { openLogger } from '../logger.ts'
import { openMetrics } from '../metrics/open-metrics.ts'
import { openStorage } from '../open-storage.ts'
import { startServer } from '../server.ts'
import { LostStorage } from '../storage/errors.ts'
import { findUnknownSettings } from '../unknown-settings.ts'
import { hostAndPort, localHost } from './service-address.ts'

/** The addresses for the person who started the service in development. */
function announce(config: Config, port: number): void {
  const address = hostAndPort(localHost(config.host), port)
  const lines = [
    `  API        http://${address}/swagger`,
    ...(config.tryPage ? [`  Try it     http://${address}/`] : []),
    `  WebSocket  ws://${address}/  (http://${address}/websocket explains it)`,
  ]
  // The log on standard output stays one JSON object per line.
  console.error(`\n${lines.join('\n')}\n`)
}

/**
 * Serves until SIGTERM or SIGINT. Returns once the service is listening.
 *
 * @throws Error if the service cannot start
 */
export async function serve(config: Config): Promise<void> {
  const { logger, flush } = openLogger(config.logLevel)
  for (const { variable, setting } of findUnknownSettings(process.env, policyNames)) {
    logger.warn({ variable }, `${variable} is not a setting and has no effect. Did you mean ${setting}?`)
  }
  const metrics = await openMetrics(config)
  const storage = await openStorage(config, {
    metrics: metrics?.log,
    onError(error) {
      metrics?.backgroundFailure()
      if (error instanceof LostStorage) logger.fatal(error.message)
      else logger.warn({ cause: describeError(error) }, 'background work failed')
    },
  })
  const keys = await loadKeys(config)
  const server = await startServer({ config, storage, keys, logger, metrics })
  let stopping = false

  async function stop(signal: string): Promise<void> {
    if (stopping) return
    stopping = true
    logger.info({ signal }, 'draining')
    await server.stop(config.drainSeconds)
    logger.info('stopped')
    await flush()
    process.exit(0)
  }

  /** After an unexpected error the process state is unknown: exit and let the supervisor restart it. */
  async function crash(error: unknown): Promise<never> {
    const { name, message } = describeError(error)
    logger.fatal({ name, message }, 'crashed')
    await flush()
    process.exit(1)
  }

  process.on('uncaughtException', crash)
  process.on('unhandledRejection', crash)
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)

  logger.info(
    {
      url: `http://${hostAndPort(config.host, server.port)}`,
      ...(server.metricsPort !== undefined && {
        metricsUrl: `http://${hostAndPort(config.metricsHost, server.metricsPort)}/metrics`,
      }),
      development: config.development,
      version: openapi.info.version,
      bun: Bun.version,
    },
    'listening',
  )
  await flush()
  if (config.development) announce(config, server.port)
}
