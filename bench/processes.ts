// Starts each server and load generator as a separate process, reads its processor time and memory from /proc, and
// stops it by its process handle.

import { readdirSync, readFileSync } from 'node:fs'
import { freePort } from '../tests/fixtures/free-port.ts'
import type { SocketCommand, SocketResult } from './load/sockets.ts'
import { onLoadProcessor } from './load-processor.ts'

export interface Server {
  port: number
  /** The processor time in seconds that all threads have used so far. */
  cpuSeconds: () => number
  residentBytes: () => number
  /** The number of open file descriptors, among them sockets. */
  openFiles: () => number
  stop: () => Promise<void>
  /** Sends SIGKILL, which the process cannot handle. */
  kill: () => Promise<void>
}

export interface ServerOptions {
  command: string[]
  environment: Record<string, string>
  cwd: string
  /** The file for standard output. Without it, the output is discarded. */
  outputFile?: string
  readyPath: string
}

export interface SocketLoad {
  execute: (command: SocketCommand) => Promise<SocketResult>
  cpuSeconds: () => number
  stop: () => Promise<void>
}

const startTimeoutMs = 60_000
const stopTimeoutMs = 15_000
const ticksPerSecond = 100
const running = new Set<Bun.Subprocess>()

export async function startServer(options: ServerOptions): Promise<Server> {
  const port = freePort()
  const child = launch(options, port)
  await waitUntilReady(child, `http://127.0.0.1:${port}${options.readyPath}`)
  return {
    port,
    cpuSeconds: () => cpuSeconds(child.pid),
    residentBytes: () => residentBytes(child.pid),
    openFiles: () => readdirSync(`/proc/${child.pid}/fd`).length,
    stop: () => stop(child),
    kill: async () => {
      child.kill('SIGKILL')
      await child.exited
    },
  }
}

export interface Start {
  /** The time from the start of the process to its first response. */
  firstResponseMs: number
  /** The resident memory after the first response. */
  residentBytes: number
}

/** How long a server may finish its start in the background before its memory is read. */
const settleMs = 200

/** Starts and stops a server. */
export async function measureStart(options: ServerOptions): Promise<Start> {
  const port = freePort()
  const start = performance.now()
  const child = launch(options, port)
  await waitUntilReady(child, `http://127.0.0.1:${port}${options.readyPath}`)
  const firstResponseMs = performance.now() - start
  await Bun.sleep(settleMs)
  const bytes = residentBytes(child.pid)
  await stop(child)
  return { firstResponseMs, residentBytes: bytes }
}

export async function startSocketLoad(): Promise<SocketLoad> {
  const replies: Array<(reply: { result?: SocketResult; error?: string }) => void> = []
  const ready = Promise.withResolvers<void>()
  const child = track(
    Bun.spawn(onLoadProcessor([process.execPath, `${import.meta.dir}/load/sockets.ts`]), {
      stdio: ['ignore', 'inherit', 'inherit'],
      ipc: (message: { ready?: true; result?: SocketResult; error?: string }) => {
        if (message.ready) ready.resolve()
        else replies.shift()?.(message)
      },
      onExit: (_, exitCode) => {
        const error = `The load generator exited with code ${exitCode}`
        ready.reject(new Error(error))
        for (const reply of replies.splice(0)) reply({ error })
      },
    }),
  )
  await ready.promise
  return {
    execute: async (command) => {
      const { promise, resolve } = Promise.withResolvers<{ result?: SocketResult; error?: string }>()
      replies.push(resolve)
      child.send(command)
      const { result, error } = await promise
      if (!result) throw new Error(error)
      return result
    },
    cpuSeconds: () => cpuSeconds(child.pid),
    stop: () => stop(child),
  }
}

/** Registers a child process, so that `stopEverything` stops it if it is still running. */
export function track<Child extends Bun.Subprocess>(child: Child): Child {
  running.add(child)
  child.exited.then(() => running.delete(child))
  return child
}

/** Stops all registered processes that are still running, for example after a failed measurement. */
export async function stopEverything(): Promise<void> {
  await Promise.all([...running].map(stop))
}

function launch({ command, environment, cwd, outputFile }: ServerOptions, port: number) {
  return track(
    Bun.spawn(command, {
      cwd,
      env: {
        ...inheritedEnvironment(),
        NODE_ENV: 'production',
        HOST: '127.0.0.1',
        ...environment,
        PORT: String(port),
      },
      stdio: ['ignore', outputFile ? Bun.file(outputFile) : 'ignore', 'inherit'],
    }),
  )
}

/** Passes on only the variables that a process needs, so that the caller's settings do not affect the measurement. */
function inheritedEnvironment(): Record<string, string> {
  const { PATH = '', HOME = '', TMPDIR } = process.env
  return { PATH, HOME, ...(TMPDIR === undefined ? {} : { TMPDIR }) }
}

async function waitUntilReady(child: Bun.Subprocess, url: string) {
  const deadline = performance.now() + startTimeoutMs
  while (performance.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`${url}: the server exited with code ${child.exitCode}`)
    try {
      const response = await fetch(url, { keepalive: false })
      await response.body?.cancel()
      if (response.status < 500) return
    } catch {
      // The server is not listening yet.
    }
    await Bun.sleep(1)
  }
  throw new Error(`${url}: no response within ${startTimeoutMs} ms`)
}

async function stop(child: Bun.Subprocess) {
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
  await child.exited
  clearTimeout(timer)
}

/** Like `cpuSeconds`, for a process that may have ended. */
export function cpuSecondsOf(pid: number): number {
  try {
    return cpuSeconds(pid)
  } catch {
    return 0
  }
}

/** Reads utime and stime, fields 14 and 15 of proc_pid_stat(5), in clock ticks. Field 2 may contain spaces. */
function cpuSeconds(pid: number) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

function residentBytes(pid: number) {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kilobytes) * 1_024
}
