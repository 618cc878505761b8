import { loadKeys } from '../auth/load-keys.ts'
import type { Config } from '../config.ts'
import { openapi } from '../contract/documents.ts'
import { policyNames } from '../contract/policies.ts'
import { describeError, rootCause } from '../http/error-handler.ts'
import { LimitsNotShared } from '../limits/limit-store.ts'
import { openLogger } from '../logger.ts'
import { openMetrics } from '../metrics/open-metrics.ts'
import { openStorage } from '../open-storage.ts'
import { type RunningServer, startServer } from '../server.ts'
import { LostStorage, RedisUnavailable, RestartRequired } from '../storage/errors.ts'
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

/** Supervisors start a process again that fails. */
const restartCode = 1

/**
 * Serves until SIGTERM or SIGINT. Returns once the service is listening.
 *
 * @throws Error if the service cannot start
 */
export async function serve(config: Config): Promise<void> {
  const { logger, flush } = openLogger(config.logLevel)
  const unknown = findUnknownSettings(process.env, policyNames)
  for (const { variable, setting } of unknown) {
    logger.warn({ variable }, `${variable} is not a setting and has no effect. Did you mean ${setting}?`)
  }
  // A misspelled setting may be the reason why the start fails, and then nothing else writes the lines.
  if (unknown.length > 0) await flush()
  let server: RunningServer | undefined
  let stopping = false
  const metrics = await openMetrics(config)
  const storage = await openStorage(config, {
    metrics: metrics?.log,
    onError(error) {
      metrics?.backgroundFailure()
      if (error instanceof LostStorage) logger.fatal(error.message)
      else if (error instanceof RedisUnavailable) logger.warn({ reason: error.message }, 'redis unavailable')
      else if (error instanceof LimitsNotShared) {
        logger.warn({ reason: error.message, cause: describeError(rootCause(error)) }, 'limits not shared')
      } else logger.warn({ cause: describeError(error) }, 'background work failed')
      if (error instanceof RestartRequired) void stop('restart required', restartCode)
    },
    onNotice: (text) => logger.warn(text),
    onRedisRecovered: () => logger.info('redis available again'),
    onLimitsShared: () => logger.info('limits shared again'),
  })
  const keys = await loadKeys(config)
  server = await startServer({ config, storage, keys, logger, metrics })

  async function stop(signal: string, exitCode = 0): Promise<void> {
    if (stopping) return
    stopping = true
    logger.info({ signal }, 'draining')
    await server?.stop(config.drainSeconds)
    logger.info('stopped')
    await flush()
    process.exit(exitCode)
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
  process.on('SIGTERM', () => stop('SIGTERM'))
  process.on('SIGINT', () => stop('SIGINT'))

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
