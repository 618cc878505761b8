// Starts the servers and the load generators as processes of their own, reads what they cost from /proc, and
// ends them by their handle. Nothing else on the machine is touched.

import { readFileSync } from 'node:fs'
import type { SocketAnswer, SocketCommand } from './load/sockets.ts'

export interface Server {
  port: number
  /** Seconds of processor time that all threads have used so far. */
  cpuSeconds: () => number
  residentBytes: () => number
  stop: () => Promise<void>
}

export interface ServerOptions {
  command: string[]
  environment: Record<string, string>
  cwd: string
  /** Where standard output goes; nowhere if left out. */
  outputFile?: string
  readyPath: string
}

export interface SocketLoad {
  carryOut: (command: SocketCommand) => Promise<SocketAnswer>
  cpuSeconds: () => number
  stop: () => Promise<void>
}

const startLimitMs = 60_000
const stopLimitMs = 15_000
const ticksPerSecond = 100
const running = new Set<Bun.Subprocess>()

export async function startServer(options: ServerOptions): Promise<Server> {
  const port = freePort()
  const child = launch(options, port)
  await answers(child, `http://127.0.0.1:${port}${options.readyPath}`)
  return {
    port,
    cpuSeconds: () => cpuSeconds(child.pid),
    residentBytes: () => residentBytes(child.pid),
    stop: () => stop(child),
  }
}

/** Starts a server, and stops it again. Answers the milliseconds from the start to the first answer. */
export async function timeToFirstAnswer(options: ServerOptions): Promise<number> {
  const port = freePort()
  const start = performance.now()
  const child = launch(options, port)
  await answers(child, `http://127.0.0.1:${port}${options.readyPath}`)
  const elapsedMs = performance.now() - start
  await stop(child)
  return elapsedMs
}

export async function startSocketLoad(): Promise<SocketLoad> {
  const replies: Array<(reply: { answer?: SocketAnswer; error?: string }) => void> = []
  const ready = Promise.withResolvers<void>()
  const child = track(
    Bun.spawn([process.execPath, `${import.meta.dir}/load/sockets.ts`], {
      stdio: ['ignore', 'inherit', 'inherit'],
      ipc: (message: { ready?: true; answer?: SocketAnswer; error?: string }) => {
        if (message.ready) ready.resolve()
        else replies.shift()?.(message)
      },
      onExit: (_, exitCode) => {
        const error = `The load generator ended with ${exitCode}`
        ready.reject(new Error(error))
        for (const reply of replies.splice(0)) reply({ error })
      },
    }),
  )
  await ready.promise
  return {
    carryOut: async (command) => {
      const { promise, resolve } = Promise.withResolvers<{ answer?: SocketAnswer; error?: string }>()
      replies.push(resolve)
      child.send(command)
      const { answer, error } = await promise
      if (!answer) throw new Error(error)
      return answer
    },
    cpuSeconds: () => cpuSeconds(child.pid),
    stop: () => stop(child),
  }
}

/** Has a process ended by `stopEverything` where it has not ended by itself. */
export function track<Child extends Bun.Subprocess>(child: Child): Child {
  running.add(child)
  child.exited.then(() => running.delete(child))
  return child
}

/** Ends what is still running when a measurement has failed. */
export async function stopEverything(): Promise<void> {
  await Promise.all([...running].map(stop))
}

function launch({ command, environment, cwd, outputFile }: ServerOptions, port: number) {
  return track(
    Bun.spawn(command, {
      cwd,
      env: { ...inherited(), NODE_ENV: 'production', HOST: '127.0.0.1', ...environment, PORT: String(port) },
      stdio: ['ignore', outputFile ? Bun.file(outputFile) : 'ignore', 'inherit'],
    }),
  )
}

/** Only what a process needs to run: no setting of the caller's shell changes what is measured. */
function inherited(): Record<string, string> {
  const { PATH = '', HOME = '', TMPDIR } = process.env
  return { PATH, HOME, ...(TMPDIR === undefined ? {} : { TMPDIR }) }
}

async function answers(child: Bun.Subprocess, url: string) {
  const giveUpAt = performance.now() + startLimitMs
  while (performance.now() < giveUpAt) {
    if (child.exitCode !== null) throw new Error(`${url}: the server ended with ${child.exitCode}`)
    try {
      const response = await fetch(url, { keepalive: false })
      await response.body?.cancel()
      if (response.status < 500) return
    } catch {
      // Not listening yet.
    }
    await Bun.sleep(1)
  }
  throw new Error(`${url}: no answer within ${startLimitMs} ms`)
}

async function stop(child: Bun.Subprocess) {
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), stopLimitMs)
  await child.exited
  clearTimeout(timer)
}

function freePort() {
  const probe = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data: () => {} } })
  const { port } = probe
  probe.stop(true)
  return port
}

/** utime and stime of proc_pid_stat(5): the 14th and 15th field, in ticks; the 2nd may hold spaces. */
function cpuSeconds(pid: number) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

function residentBytes(pid: number) {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kilobytes) * 1_024
}
