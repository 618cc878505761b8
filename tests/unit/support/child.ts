import { fileURLToPath } from 'node:url'
import { endWithParent } from './end-with-parent.ts'

const project = fileURLToPath(new URL('../../..', import.meta.url))

interface ChildOptions {
  /** The program, relative to the project's folder. */
  readonly program?: string
  readonly environment: Readonly<Record<string, string>>
  /** A file that the process loads before the program, relative to the project's folder. */
  readonly preload?: string
  /** A command that ends by running its arguments. */
  readonly launcher?: readonly string[]
  /** The arguments of the program. */
  readonly arguments?: readonly string[]
}

/** Starts a service in its own process. `await using` ends it; it also ends if the test process dies. */
export async function startChild(options: ChildOptions) {
  const child = spawnService(options)
  const output: string[] = []
  const reader = child.stdout.getReader()
  const decoder = new TextDecoder()

  /** Reads standard output until a line matches. */
  async function waitFor(pattern: RegExp): Promise<string> {
    for (;;) {
      const line = output
        .join('')
        .split('\n')
        .slice(0, -1)
        .find((each) => pattern.test(each))
      if (line !== undefined) return line
      const { done, value } = await reader.read()
      if (done) throw new Error(`It ended without ${pattern}: ${await new Response(child.stderr).text()}`)
      output.push(decoder.decode(value))
    }
  }

  const { url, metricsUrl = '' } = JSON.parse(await waitFor(/"listening"/)) as {
    url: string
    metricsUrl?: string
  }
  return {
    url,
    /** The URL of the metrics, with METRICS_PORT. */
    metricsUrl,
    pid: child.pid,
    waitFor,
    signal: (name: NodeJS.Signals) => child.kill(name),
    /** Waits until the process ends by itself. */
    async output() {
      for (let each = await reader.read(); !each.done; each = await reader.read()) {
        output.push(decoder.decode(each.value))
      }
      return { exitCode: await child.exited, text: output.join('') }
    },
    /** Stops the service with SIGTERM, and returns everything that it wrote to standard output and standard error. */
    async stop(): Promise<string> {
      child.kill('SIGTERM')
      for (let each = await reader.read(); !each.done; each = await reader.read()) {
        output.push(decoder.decode(each.value))
      }
      await child.exited
      return output.join('') + (await new Response(child.stderr).text())
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await child.exited
    },
  }
}

/** Spawns the process without waiting for it to listen, for a service that is expected not to start. */
export function spawnService({
  program = 'src/main.ts',
  environment,
  preload,
  launcher = [],
  arguments: arguments_ = [],
}: ChildOptions) {
  const preloads = preload === undefined ? [] : ['--preload', `./${preload}`]
  const child = Bun.spawn([...launcher, process.execPath, ...preloads, program, ...arguments_], {
    cwd: project,
    env: { PATH: process.env.PATH, HOST: '127.0.0.1', PORT: '0', ...environment },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  return endWithParent(child)
}
