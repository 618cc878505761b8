import { start } from './commands/start.ts'

if (process.argv.length > 2) {
  // Loaded only if there are arguments, so that the start of the service does not wait for the CLI.
  const { runCommand } = await import('./commands/cli.ts')
  const exitCode = await runCommand(process.argv.slice(2))
  if (exitCode !== undefined) process.exit(exitCode)
} else {
  await start()
}
