import { healthcheck } from './commands/healthcheck.ts'
import { serve } from './commands/serve.ts'
import { type Config, ConfigError, readConfig } from './config.ts'
import { policyNames } from './contract/policies.ts'
import { CannotListen } from './listen-errors.ts'
import { UnusableStorage } from './storage/errors.ts'

/** Written to stderr: the logger may not be configured yet, or may be silenced. */
function refuseToStart(message: string): never {
  console.error(message)
  process.exit(1)
}

/** The message for an error that prevents the start. */
const explain = (error: unknown): string =>
  error instanceof UnusableStorage || error instanceof CannotListen
    ? error.message
    : `Parley cannot start: ${(error as Error).message}`

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
  refuseToStart(explain(error))
}
