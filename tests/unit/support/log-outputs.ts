import { closeSync, constants, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '../../fixtures/free-port.ts'
import { temporaryFolder } from './service.ts'

const project = fileURLToPath(new URL('../../..', import.meta.url))

/** A named pipe. The test decides when it is read, and when its reader goes away. */
export function openPipe(folder: string) {
  const path = join(folder, 'log-pipe')
  const { exitCode, stderr } = Bun.spawnSync(['mkfifo', path])
  if (exitCode !== 0) throw new Error(`mkfifo: ${stderr}`)
  return { path, ...readPipe(path) }
}

/** Opens another reader of the pipe at `path`. */
export function readPipe(path: string) {
  // Without waiting for a writer, which is opened next.
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const buffer = Buffer.alloc(64 * 1024)
  return {
    /** Returns what has been written, without waiting. */
    read(): string {
      let text = ''
      for (;;) {
        try {
          const length = readSync(reader, buffer)
          if (length === 0) return text
          text += buffer.toString('utf8', 0, length)
        } catch (error) {
          if ((error as { code?: string }).code !== 'EAGAIN') throw error
          return text
        }
      }
    },
    closeReader: () => closeSync(reader),
  }
}

interface Redirections {
  /** Redirections of the shell, such as `>/dev/full 2>&-`. */
  readonly redirections: string
  readonly environment?: Readonly<Record<string, string>>
  /** A command that ends by running its arguments, such as one that enters a namespace. */
  readonly launcher?: readonly string[]
  /** Instead of a temporary folder. */
  readonly dataDir?: string
}

/** Starts the service with redirected outputs, and waits until it responds. `await using` ends it. */
export async function startRedirected({
  redirections,
  environment = {},
  launcher = [],
  dataDir,
}: Redirections) {
  const folder = await temporaryFolder()
  const port = freePort()
  const url = `http://127.0.0.1:${port}`
  const script = `exec "$@" ${redirections}`
  const child = Bun.spawn(['sh', '-c', script, 'sh', ...launcher, process.execPath, 'src/main.ts'], {
    cwd: project,
    env: {
      PATH: process.env.PATH,
      HOST: '127.0.0.1',
      PORT: String(port),
      DATA_DIR: dataDir ?? folder.path,
      DRAIN_SECONDS: '0',
      ...environment,
    },
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'ignore',
  })
  for (;;) {
    if (child.exitCode !== null) throw new Error(`The service exited with ${child.exitCode}`)
    if (await fetch(`${url}/livez`).catch(() => undefined)) break
    await Bun.sleep(20)
  }

  return {
    url,
    pid: child.pid,
    /** Sends `count` requests that each write a log line, and expects that all succeed. */
    async request(count: number): Promise<void> {
      let sent = 0
      const lane = async () => {
        while (sent++ < count) {
          const { status } = await fetch(`${url}/livez`)
          if (status !== 200) throw new Error(`A request failed with ${status}`)
        }
      }
      await Promise.all(Array.from({ length: 16 }, lane))
    },
    /** Sends SIGTERM and returns the exit code. The test's time limit fails a stop that does not end. */
    stop(): Promise<number> {
      child.kill('SIGTERM')
      return child.exited
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await child.exited
      await folder[Symbol.asyncDispose]()
    },
  }
}
