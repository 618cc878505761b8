// Runs wrk, the load generator for HTTP. With one thread, it is faster than each of the servers.

import { onLoadProcessor } from './load-processor.ts'
import { type Server, track } from './processes.ts'

export interface HttpLoad {
  server: Server
  path: string
  /** The name of a Lua script in bench/load. */
  script: string
  environment: Record<string, string>
  connections: number
  seconds: number
}

export interface HttpResult {
  requests: number
  perSecond: number
  p50Ms: number
  p99Ms: number
  /** The processor time that the server used per second. More than 1 means that several threads were busy. */
  serverCores: number
}

export class MissingTool extends Error {}

export function requireWrk() {
  if (!Bun.which('wrk')) throw new MissingTool('wrk is not installed. Install it with `apt-get install wrk`.')
}

/** On a busy machine, a short measurement of slow requests can end before the first response. */
const maxAttempts = 3

/** Runs wrk, again if it received no response. Rejects if a response was not 2xx or 3xx, or if a connection failed. */
export async function runWrk(load: HttpLoad, run = runOnce): Promise<HttpResult> {
  for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
    const result = await run(load)
    if (result.requests > 0) return result
  }
  throw new Error(`${load.path}: no response within ${load.seconds} s, ${maxAttempts} times`)
}

async function runOnce(load: HttpLoad): Promise<HttpResult> {
  const { server, path, script, environment, connections, seconds } = load
  const command = ['wrk', '--threads', '1', '--connections', `${connections}`, '--duration', `${seconds}s`]
  const cpuBefore = server.cpuSeconds()
  const child = track(
    Bun.spawn(
      onLoadProcessor([
        ...command,
        '--latency',
        '--script',
        `${import.meta.dir}/load/${script}`,
        `http://127.0.0.1:${server.port}${path}`,
      ]),
      { env: { PATH: process.env.PATH ?? '', ...environment }, stdio: ['ignore', 'pipe', 'inherit'] },
    ),
  )
  const output = await new Response(child.stdout).text()
  const cpuSeconds = server.cpuSeconds() - cpuBefore
  if ((await child.exited) !== 0) throw new Error(`wrk failed:\n${output}`)
  return { ...parseWrkOutput(output), serverCores: cpuSeconds / seconds }
}

/** Parses the output of `wrk --latency`. Throws if wrk reports failures. */
export function parseWrkOutput(output: string): Omit<HttpResult, 'serverCores'> {
  const failures = /^\s*(Non-2xx or 3xx responses|Socket errors): .*$/m.exec(output)?.[0].trim()
  if (failures) throw new Error(failures)
  return {
    requests: Number(field(output, /(\d+) requests in /)),
    perSecond: Number(field(output, /Requests\/sec:\s+([\d.]+)/)),
    p50Ms: milliseconds(field(output, /^\s+50%\s+(\S+)\s*$/m)),
    p99Ms: milliseconds(field(output, /^\s+99%\s+(\S+)\s*$/m)),
  }
}

function field(output: string, pattern: RegExp): string {
  const value = pattern.exec(output)?.[1]
  if (value === undefined) throw new Error(`Unexpected output of wrk:\n${output}`)
  return value
}

function milliseconds(text: string) {
  const unit = text.replace(/[\d.]+/, '')
  const factor = { us: 0.001, ms: 1, s: 1_000, m: 60_000 }[unit]
  if (factor === undefined) throw new Error(`Unknown unit in the output of wrk: ${text}`)
  return Number.parseFloat(text) * factor
}
