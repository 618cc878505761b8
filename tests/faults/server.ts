import { fileURLToPath } from 'node:url'
import { within } from './waiting.ts'

const mainFile = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const exitWithParent = fileURLToPath(new URL('../fixtures/exit-with-parent.ts', import.meta.url))
const maxLines = 60

export interface ServerSettings {
  dataDir: string
  /** Environment variables that extend or override the defaults of all scenarios. */
  environment?: Record<string, string>
  /** A command that runs its arguments, for example in another namespace. */
  launcher?: string[]
}

export interface Server {
  url: string
  pid: number
  exited: Promise<number>
  /** The last lines of its output, for error messages. */
  lastLines(): string
  /** Sends SIGKILL, which the process cannot handle. */
  kill(): Promise<void>
  signal(name: 'SIGTERM' | 'SIGKILL'): void
}

export interface FailedStart {
  exitCode: number
  output: string
}

const running = new Set<Bun.Subprocess>()

/** Starts the service from source and waits until it listens. */
export async function startServer(settings: ServerSettings): Promise<Server> {
  const started = launch(settings)
  const outcome = await within(
    20_000,
    'the server listens or exits',
    Promise.race([started.listening, started.exited]),
  )
  if (typeof outcome === 'number')
    throw new Error(`the server exited with ${outcome}:\n${started.lastLines()}`)
  return {
    url: outcome.url,
    pid: started.child.pid,
    exited: started.exited,
    lastLines: started.lastLines,
    kill: async () => {
      started.child.kill('SIGKILL')
      await started.exited
    },
    signal: (name) => started.child.kill(name),
  }
}

/** Starts the service and expects it to exit with an error. Throws if it listens. */
export async function expectStartToFail(settings: ServerSettings): Promise<FailedStart> {
  const started = launch(settings)
  const outcome = await within(20_000, 'the server exits', Promise.race([started.listening, started.exited]))
  if (typeof outcome === 'number') return { exitCode: outcome, output: started.lastLines() }
  started.child.kill('SIGKILL')
  throw new Error('the server started although it should not have')
}

/** Starts the service and kills it when `moment` resolves, at any point of its start. */
export async function startServerAndKill(settings: ServerSettings, moment: Promise<unknown>): Promise<void> {
  const started = launch(settings)
  await Promise.race([moment, started.exited])
  started.child.kill('SIGKILL')
  await started.exited
}

/** Registers a process to be killed when the scenario ends, also if it fails. */
export function killAfterScenario(child: Bun.Subprocess): void {
  running.add(child)
  void child.exited.then(() => running.delete(child))
}

/** Kills all registered processes that are still running. */
export async function killProcesses(): Promise<void> {
  for (const child of running) child.kill('SIGKILL')
  await Promise.all([...running].map((child) => child.exited))
}

function launch({ dataDir, environment, launcher = [] }: ServerSettings) {
  const lines: string[] = []
  const { promise: listening, resolve } = Promise.withResolvers<{ url: string }>()
  const child = Bun.spawn([...launcher, process.execPath, '--preload', exitWithParent, mainFile], {
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      LOG_LEVEL: 'info',
      HOST: '127.0.0.1',
      PORT: '0',
      DATA_DIR: dataDir,
      // Rate limits stay enabled, with quotas that no scenario reaches.
      RATE_LIMIT_REGISTER: '1000000/60',
      RATE_LIMIT_LOGIN: '1000000/60',
      RATE_LIMIT_READ: '1000000/60',
      RATE_LIMIT_SEND: '1000000/60',
      RATE_LIMIT_CONNECT: '1000000/60',
      MAX_SOCKETS_PER_USER: '1000',
      ...environment,
    },
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  killAfterScenario(child)

  const onLine = (line: string) => {
    lines.push(line)
    if (lines.length > maxLines) lines.shift()
    if (line.includes('"msg":"listening"')) resolve(JSON.parse(line))
  }
  const printed = Promise.all([readLines(child.stdout, onLine), readLines(child.stderr, onLine)])
  const exited = child.exited.then(async (exitCode) => {
    await printed
    return exitCode
  })
  return { child, listening, exited, lastLines: () => lines.join('\n') }
}

async function readLines(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void): Promise<void> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = parts.pop() as string
    for (const line of parts) onLine(line)
  }
  if (rest) onLine(rest)
}
