import { type ParseArgsConfig, parseArgs } from 'node:util'

/** Reads the arguments of a command. `--help`, or an argument that it does not know, prints `usage` and ends the process. */
export function readArguments<const Config extends ParseArgsConfig>(usage: string, config: Config) {
  if (process.argv.includes('--help')) {
    console.log(usage)
    process.exit(0)
  }
  try {
    return parseArgs(config)
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`)
    process.exit(2)
  }
}
