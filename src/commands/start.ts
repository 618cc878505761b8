import { type Config, ConfigError, readConfig } from '../config.ts'
import { policyNames } from '../contract/policies.ts'
import { CannotListen } from '../listen-errors.ts'
import { UnusableStorage } from '../storage/errors.ts'
import { serve } from './serve.ts'

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

/** Reads the configuration. Ends the process if it is invalid. */
export function configure(): Config {
  try {
    return readConfig(process.env, policyNames)
  } catch (error) {
    if (error instanceof ConfigError) refuseToStart(error.message)
    throw error
  }
}

/** Starts the service. Ends the process if it cannot start. */
export async function start(): Promise<void> {
  try {
    await serve(configure())
  } catch (error) {
    refuseToStart(explain(error))
  }
}
