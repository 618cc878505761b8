import { fileURLToPath } from 'node:url'

const project = fileURLToPath(new URL('../../..', import.meta.url))

interface ChildOptions {
  /** The program, from the project's folder. */
  readonly program?: string
  readonly environment: Readonly<Record<string, string>>
}

/** A service in a process of its own; `await using` ends it. */
export async function startChild({ program = 'src/main.ts', environment }: ChildOptions) {
  const child = spawnService({ program, environment })
  const output: string[] = []
  const reader = child.stdout.getReader()
  const decoder = new TextDecoder()

  /** Reads on until a line matches, or the output ends. */
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

  const { url } = JSON.parse(await waitFor(/"listening"/)) as { url: string }
  return {
    url,
    waitFor,
    /** All that it has written to standard output and to standard error, once it has ended. */
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

/** The process alone, for those that end by themselves. */
export function spawnService({ program = 'src/main.ts', environment }: ChildOptions) {
  return Bun.spawn([process.execPath, program], {
    cwd: project,
    env: { PATH: process.env.PATH, HOST: '127.0.0.1', PORT: '0', ...environment },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
}
