import { join } from 'node:path'

export const project = join(import.meta.dir, '../../..')
const folder = join(import.meta.dir, '../tools')

/** Runs a command and returns its output. Throws an error that contains the output if the command fails. */
export async function run(command: readonly string[], cwd = project): Promise<string> {
  const child = Bun.spawn([...command], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  const exitCode = await child.exited
  if (exitCode !== 0) throw new Error(`${command.join(' ')} exited with ${exitCode}:\n${stdout}${stderr}`)
  return stdout
}

/** Installs the tools that only the tests of the package need, and returns the path of their packages. */
export async function installTools(): Promise<string> {
  await run([process.execPath, 'install', '--frozen-lockfile', '--ignore-scripts'], folder)
  return join(folder, 'node_modules')
}

/** The path of a Node.js that has a WebSocket: the one of the tools, or that of this machine. */
export async function nodePath(tools: string): Promise<string> {
  const candidates = [join(tools, 'node22/bin/node'), Bun.which('node') ?? '']
  for (const path of candidates) {
    if (!path || !(await Bun.file(path).exists())) continue
    const version = await run([path, '--version'])
    if (Number(/^v(\d+)/.exec(version)?.[1]) >= 22) return path
  }
  throw new Error('These tests need Node.js 22 or later on this platform')
}
