import { fileURLToPath } from 'node:url'
import { within } from './waiting.ts'

const mainFile = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const lastLinesKept = 60

export interface ServerSettings {
  dataDir: string
  /** Added to, or instead of, what every scenario gives. */
  environment?: Record<string, string>
  /** A command that ends by running the arguments it is given, e.g. one that enters a namespace. */
  launcher?: string[]
}

export interface Server {
  url: string
  pid: number
  exited: Promise<number>
  /** The end of what it printed, for an error message. */
  lastLines(): string
  /** SIGKILL: nothing in the process can notice. */
  kill(): Promise<void>
  signal(name: 'SIGTERM' | 'SIGKILL'): void
}

export interface FailedStart {
  exitCode: number
  output: string
}

const running = new Set<Bun.Subprocess>()

/** Starts the service from its source, and waits until it listens. */
export async function startServer(settings: ServerSettings): Promise<Server> {
  const started = launch(settings)
  const outcome = await within(
    20_000,
    'the server listens or ends',
    Promise.race([started.listening, started.exited]),
  )
  if (typeof outcome === 'number')
    throw new Error(`the server ended with ${outcome}:\n${started.lastLines()}`)
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

/** Starts the service where it has to refuse. An error if it listens all the same. */
export async function startServerInVain(settings: ServerSettings): Promise<FailedStart> {
  const started = launch(settings)
  const outcome = await within(
    20_000,
    'the server refuses to start',
    Promise.race([started.listening, started.exited]),
  )
  if (typeof outcome === 'number') return { exitCode: outcome, output: started.lastLines() }
  started.child.kill('SIGKILL')
  throw new Error('the server listens, where it should have refused to start')
}

/** Starts the service and kills it once `moment` has come, wherever in its start that finds it. */
export async function startServerAndKill(settings: ServerSettings, moment: Promise<unknown>): Promise<void> {
  const started = launch(settings)
  await Promise.race([moment, started.exited])
  started.child.kill('SIGKILL')
  await started.exited
}

/** Has a process ended with its scenario, also where that fails. */
export function endWithScenario(child: Bun.Subprocess): void {
  running.add(child)
  void child.exited.then(() => running.delete(child))
}

/** Ends what a scenario that failed left running. */
export async function endProcesses(): Promise<void> {
  for (const child of running) child.kill('SIGKILL')
  await Promise.all([...running].map((child) => child.exited))
}

function launch({ dataDir, environment, launcher = [] }: ServerSettings) {
  const lines: string[] = []
  const { promise: listening, resolve } = Promise.withResolvers<{ url: string }>()
  const child = Bun.spawn([...launcher, process.execPath, mainFile], {
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      LOG_LEVEL: 'info',
      HOST: '127.0.0.1',
      PORT: '0',
      DATA_DIR: dataDir,
      // Limits stay on, as users have them; only their quotas are out of the way.
      RATE_LIMIT_REGISTER: '1000000/60',
      RATE_LIMIT_LOGIN: '1000000/60',
      RATE_LIMIT_READ: '1000000/60',
      RATE_LIMIT_SEND: '1000000/60',
      RATE_LIMIT_CONNECT: '1000000/60',
      MAX_SOCKETS_PER_USER: '1000',
      ...environment,
    },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  endWithScenario(child)

  const onLine = (line: string) => {
    lines.push(line)
    if (lines.length > lastLinesKept) lines.shift()
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
