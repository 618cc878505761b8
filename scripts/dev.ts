// Starts the service for development: `bun run dev`. It restarts when a source file changes, and its log is
// printed for people. If the service ends, this ends with the same exit code; the exit code of a shell
// pipeline would be that of the printer.
import { fileURLToPath } from 'node:url'

const project = fileURLToPath(new URL('..', import.meta.url))
const printerFile = fileURLToPath(import.meta.resolve('pino-pretty/bin.js'))

const service = Bun.spawn([process.execPath, '--watch', '--no-clear-screen', 'src/main.ts'], {
  cwd: project,
  env: { ...process.env, NODE_ENV: 'development' },
  stdin: 'ignore',
  stdout: 'pipe',
  stderr: 'inherit',
})
const printer = Bun.spawn([process.execPath, printerFile, '--singleLine', '--ignore', 'pid,hostname'], {
  cwd: project,
  stdin: service.stdout,
  stdout: 'inherit',
  stderr: 'inherit',
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => service.kill(signal))

const exitCode = await service.exited
// The printer ends at the end of its input, after the last line.
await printer.exited
process.exit(exitCode)
