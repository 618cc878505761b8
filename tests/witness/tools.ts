import { existsSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(import.meta.dir, '../..')
export const spec = {
  openapi: join(root, 'spec/openapi.yaml'),
  asyncapi: join(root, 'spec/asyncapi.yaml'),
}
/** The tools that only this suite needs. They are not in the main project, because they are large. */
export const tools = join(import.meta.dir, 'node_modules')

const quiet = { DO_NOT_TRACK: '1', REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' }

export async function installTools(): Promise<void> {
  const install = Bun.spawn([process.execPath, 'install', '--frozen-lockfile', '--ignore-scripts'], {
    cwd: import.meta.dir,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if ((await install.exited) !== 0 || !existsSync(tools)) throw new Error('The tools could not be installed')
}

interface RunOptions {
  readonly cwd?: string
  readonly env?: Record<string, string>
}

/** Runs a command and returns its output. Throws an error that contains the output if the command fails. */
export async function run(command: readonly string[], { cwd = root, env = {} }: RunOptions = {}) {
  const child = Bun.spawn([...command], {
    cwd,
    env: { ...process.env, ...quiet, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  if ((await child.exited) !== 0) throw new Error(`${stdout}${stderr}`.trim() || `exit ${child.exitCode}`)
  return stdout
}

/** Runs a file of Node.js with the same options. */
export const runNode = (args: readonly string[], options?: RunOptions) => run(['node', ...args], options)

/** The checks of this suite. Each one passes, or fails with the output of a tool. */
export function createChecks() {
  const counts = { passed: 0, failed: 0 }

  async function check(name: string, body: () => Promise<unknown>): Promise<void> {
    try {
      await body()
      counts.passed++
      console.log(`passed: ${name}`)
    } catch (error) {
      counts.failed++
      console.error(`FAILED: ${name}\n${(error as Error).message}`)
    }
  }
  return { check, counts }
}

export type Check = ReturnType<typeof createChecks>['check']
