import { loadKeys } from '../auth/load-keys.ts'
import type { Config } from '../config.ts'
import { openapi } from '../contract/documents.ts'
import { policyNames } from '../contract/policies.ts'
import { describeError, rootCause } from '../http/error-handler.ts'
import { LimitsNotShared } from '../limits/limit-store.ts'
import { type Logger, openLogger } from '../logger.ts'
import { openMetrics } from '../metrics/open-metrics.ts'
import { once } from '../once.ts'
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

function logFailure(logger: Logger, error: unknown): void {
  if (error instanceof LostStorage) logger.fatal(error.message)
  else if (error instanceof RedisUnavailable) logger.warn({ reason: error.message }, 'redis unavailable')
  else if (error instanceof LimitsNotShared) {
    logger.warn({ reason: error.message, cause: describeError(rootCause(error)) }, 'limits not shared')
  } else logger.warn({ cause: describeError(error) }, 'background work failed')
}

/** Comparing the names takes as long as opening the database, so the first requests are served before it. */
const reportAfterMs = 20

/** Supervisors start a process again that fails. */
const restartCode = 1

/**
 * Serves until SIGTERM or SIGINT. Returns once the service is listening.
 *
 * @throws Error if the service cannot start
 */
export async function serve(config: Config): Promise<void> {
  const { logger, flush } = openLogger(config.logLevel)
  const reportUnknownSettings = once(() => {
    for (const { variable, setting } of findUnknownSettings(process.env, policyNames)) {
      logger.warn({ variable }, `${variable} is not a setting and has no effect. Did you mean ${setting}?`)
    }
  })
  let server: RunningServer | undefined
  let stopping = false

  async function open(): Promise<RunningServer> {
    const metrics = await openMetrics(config)
    const storage = await openStorage(config, {
      metrics: metrics?.log,
      onError(error) {
        metrics?.backgroundFailure()
        logFailure(logger, error)
        if (error instanceof RestartRequired) void stop('restart required', restartCode)
      },
      onNotice: (text) => logger.warn(text),
      onRedisRecovered: () => logger.info('redis available again'),
      onLimitsShared: () => logger.info('limits shared again'),
    })
    const keys = await loadKeys(config)
    return startServer({ config, storage, keys, logger, metrics })
  }

  async function stop(signal: string, exitCode = 0): Promise<void> {
    if (stopping) return
    stopping = true
    reportUnknownSettings()
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

  try {
    server = await open()
  } catch (error) {
    // A misspelled setting may be the reason.
    reportUnknownSettings()
    await flush()
    throw error
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
  setTimeout(reportUnknownSettings, reportAfterMs)
  if (config.development) announce(config, server.port)
}
