import { createApp } from './app.ts'
import { loadSecret } from './auth/tokens.ts'
import { openSqliteMessageLog } from './chats/sqlite-message-log.ts'
import { type Config, ConfigError, readConfig } from './config.ts'
import { connectRateLimit } from './contract/frames.ts'
import { allOperations } from './contract/operations.ts'
import { DamagedDatabase, FolderInUse, openDatabase } from './database/open-database.ts'
import { openLog } from './log.ts'

const policies = new Set([...allOperations.map(({ rateLimit }) => rateLimit.policy), connectRateLimit.policy])

/** Said without the log, since there is none yet, or it may be silenced. */
function refuseToStart(message: string): never {
  console.error(message)
  process.exit(1)
}

function configure(): Config {
  try {
    return readConfig(process.env, [...policies])
  } catch (error) {
    if (error instanceof ConfigError) refuseToStart(error.message)
    throw error
  }
}

/** What the container asks: whether the process that listens here answers. */
async function healthcheck({ host, port }: Config): Promise<never> {
  const address = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host
  const response = await fetch(`http://${address}:${port}/livez`).catch(() => undefined)
  process.exit(response?.ok ? 0 : 1)
}

async function serve(config: Config): Promise<void> {
  const { log, flush } = openLog(config.logLevel)
  const database = openDatabase(config.dataDir)
  const messageLog = openSqliteMessageLog({
    queries: database.queries,
    retentionDays: config.messageRetentionDays,
    retentionCount: config.messageRetentionCount,
    onError: (error) => log.warn({ name: (error as Error).name }, 'the message log failed in the background'),
  })
  const secret = loadSecret(config.dataDir, config.jwtSecret)
  const service = await createApp({ config, database, messageLog, secret, log })
  const server = service.listen({ hostname: config.host, port: config.port })
  let stopping = false
  async function stop(signal: string): Promise<void> {
    if (stopping) return
    stopping = true
    log.info({ signal }, 'draining')
    await service.drain(config.drainSeconds)
    messageLog.close()
    database.close()
    log.info('stopped')
    await flush()
    process.exit(0)
  }
  /** What nobody foresaw leaves the process in no known state; what was acknowledged is on disk. */
  async function crash(error: unknown): Promise<never> {
    const { name, message } = error instanceof Error ? error : { name: typeof error, message: '' }
    log.fatal({ name, message }, 'crashed')
    await flush()
    process.exit(1)
  }
  process.on('uncaughtException', crash)
  process.on('unhandledRejection', crash)
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)

  log.info({ url: `http://${config.host}:${server.port}`, development: config.development }, 'listening')
  await flush()
}

const config = configure()
if (process.argv.includes('healthcheck')) await healthcheck(config)
try {
  await serve(config)
} catch (error) {
  const { code, message } = error as { code?: string; message: string }
  if (code === 'EADDRINUSE') {
    refuseToStart(`${config.host}:${config.port} is taken. Stop what listens there, or set PORT.`)
  }
  if (error instanceof DamagedDatabase || error instanceof FolderInUse) refuseToStart(message)
  refuseToStart(`Parley cannot start: ${message}`)
}
