import { fileURLToPath } from 'node:url'
import { endWithParent } from './end-with-parent.ts'

const project = fileURLToPath(new URL('../../..', import.meta.url))

export const mainFile = `${project}/src/main.ts`

interface CommandOptions {
  readonly dataDir?: string
  /** Standard input; empty by default. */
  readonly input?: string
  readonly environment?: Readonly<Record<string, string>>
  readonly cwd?: string
}

export interface CommandResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** Starts `parley` with arguments, in its own process. */
export function spawnCommand(
  arguments_: readonly string[],
  { dataDir, input = '', environment = {}, cwd = project }: CommandOptions = {},
) {
  const child = Bun.spawn([process.execPath, mainFile, ...arguments_], {
    cwd,
    env: { PATH: process.env.PATH, ...(dataDir !== undefined && { DATA_DIR: dataDir }), ...environment },
    stdin: new Blob([input]),
    stdout: 'pipe',
    stderr: 'pipe',
  })
  return endWithParent(child)
}

/** Runs `parley` with arguments until it ends. */
export async function runCommand(
  arguments_: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const child = spawnCommand(arguments_, options)
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  return { exitCode, stdout, stderr }
}

/** Runs a command that has to succeed, and returns the JSON that it prints. */
export async function runJson<Output>(
  arguments_: readonly string[],
  options: CommandOptions = {},
): Promise<Output> {
  const { exitCode, stdout, stderr } = await runCommand([...arguments_, '--json'], options)
  if (exitCode !== 0) throw new Error(`parley ${arguments_.join(' ')} exited with ${exitCode}: ${stderr}`)
  return JSON.parse(stdout) as Output
}

/** The message of a command that has to fail with exit code 1: one line on standard error, and no output. */
export async function failureOf(
  arguments_: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const { exitCode, stdout, stderr } = await runCommand(arguments_, options)
  if (exitCode !== 1 || stdout !== '' || stderr.trimEnd().includes('\n')) {
    throw new Error(`Expected one line and exit code 1, not ${exitCode}: ${stdout}${stderr}`)
  }
  return stderr.trimEnd()
}
