import { healthcheck } from './commands/healthcheck.ts'
import { serve } from './commands/serve.ts'
import { hostAndPort } from './commands/service-address.ts'
import { type Config, ConfigError, readConfig } from './config.ts'
import { policyNames } from './contract/policies.ts'
import { UnusableStorage } from './storage/errors.ts'

/** Written to stderr: the logger may not be configured yet, or may be silenced. */
function refuseToStart(message: string): never {
  console.error(message)
  process.exit(1)
}

/** The message for an error that prevents the start. */
function explain(error: unknown, { host, port }: Config): string {
  const { code, message } = error as { code?: string; message: string }
  if (code === 'EADDRINUSE')
    return `${hostAndPort(host, port)} is in use. Stop the process that listens there, or set PORT.`
  return error instanceof UnusableStorage ? message : `Parley cannot start: ${message}`
}

function configure(): Config {
  try {
    return readConfig(process.env, policyNames)
  } catch (error) {
    if (error instanceof ConfigError) refuseToStart(error.message)
    throw error
  }
}

const config = configure()
if (process.argv.includes('healthcheck')) process.exit((await healthcheck(config)) ? 0 : 1)
try {
  await serve(config)
} catch (error) {
  refuseToStart(explain(error, config))
}
