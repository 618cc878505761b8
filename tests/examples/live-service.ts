import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const project = resolve(import.meta.dirname, '../..')

export interface LiveService {
  /** Without a slash at its end. */
  url: string
  /** SIGTERM; answers the exit code when the process has ended. Nothing of it is left behind. */
  stop(): Promise<number>
}

interface LiveServiceOptions {
  /** What starts it; by default from its source. */
  command?: readonly string[]
  environment?: Record<string, string>
}

/** Starts the service on a free port, with a folder of its own that is also where it is started. */
export async function startService({
  command,
  environment = {},
}: LiveServiceOptions = {}): Promise<LiveService> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-live-'))
  const child = Bun.spawn([...(command ?? [process.execPath, join(project, 'src/main.ts')])], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      HOST: '127.0.0.1',
      PORT: '0',
      DATA_DIR: join(folder, 'data'),
      DRAIN_SECONDS: '0',
      ...environment,
    },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const { promise: listening, resolve: onListening } = Promise.withResolvers<string>()
  const output = readLines(child.stdout, (line) => {
    if (line.includes('"msg":"listening"')) onListening(JSON.parse(line).url)
  })

  async function stop(): Promise<number> {
    child.kill('SIGTERM')
    const exitCode = await child.exited
    await output
    await rm(folder, { recursive: true })
    return exitCode
  }

  const url = await Promise.race([listening, child.exited])
  if (typeof url === 'string') return { url, stop }
  await rm(folder, { recursive: true })
  throw new Error(`the service ended with ${url} instead of listening`)
}

/** The service at BASE_URL, which stays; without it, one of its own that `stop` ends. */
export async function serviceUnderTest(): Promise<LiveService> {
  const url = process.env.BASE_URL?.replace(/\/$/, '')
  return url ? { url, stop: async () => 0 } : startService()
}

async function readLines(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void): Promise<void> {
  const decoder = new TextDecoder()
  let rest = ''
  await stream.pipeTo(
    new WritableStream({
      write(chunk) {
        const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) onLine(line)
      },
    }),
  )
}
