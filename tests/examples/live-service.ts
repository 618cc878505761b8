import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { endWithParent } from '../unit/support/end-with-parent.ts'

const project = resolve(import.meta.dirname, '../..')

export interface LiveService {
  /** Without a trailing slash. */
  url: string
  /** Stops the service with SIGTERM, removes its folder, and returns its exit code. */
  stop(): Promise<number>
}

interface LiveServiceOptions {
  /** The command that starts the service; by default, Bun with the source. */
  command?: readonly string[]
  environment?: Record<string, string>
}

/** Starts the service on a free port, in its own folder. It also ends if the test process dies. */
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
  endWithParent(child)
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
  throw new Error(`The service exited with ${url} instead of listening`)
}

/** The service at BASE_URL, which keeps running; without BASE_URL, a new one. */
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
