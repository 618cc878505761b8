import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { contract, rateLimitsOf } from './contract.ts'
import { recordTraffic, type ServerStarted } from './traffic.ts'

/** A service under test. */
export interface Service {
  name: string
  url: string
}

/** A service that this process started. */
export interface OwnService extends Service, AsyncDisposable {
  process: Bun.Subprocess
  dataDir: string
}

const entry = join(import.meta.dir, '../../../src/main.ts')
const exitWithParent = join(import.meta.dir, '../../fixtures/exit-with-parent.ts')
const killAfterMs = 10_000
const running = new Set<OwnService>()

/** Quotas that no run of the suite uses up, for every policy in the documents. */
function raisedLimits(): Record<string, string> {
  return Object.fromEntries(
    rateLimitsOf(contract).map(({ policy }) => [`RATE_LIMIT_${policy.toUpperCase()}`, '1000000/3600']),
  )
}

/**
 * Starts the service in a temporary folder on a free port and waits until it listens. It ends with
 * `stopServer`, with `stopServers`, or with the process that started it.
 *
 * @param settings environment variables, in addition to the raised quotas
 * @param preload a file in this folder that the service loads before its own code
 * @throws Error with the output of the service, if it does not start
 */
export async function startServer(
  name: string,
  settings: Record<string, string> = {},
  limits: ServerStarted['limits'] = 'raised',
  preload?: string,
): Promise<OwnService> {
  const dataDir = mkdtempSync(join(tmpdir(), 'parley-contract-'))
  const preloads = [exitWithParent, ...(preload ? [join(import.meta.dir, preload)] : [])]
  const child = Bun.spawn([process.execPath, ...preloads.flatMap((file) => ['--preload', file]), entry], {
    env: {
      PATH: process.env.PATH,
      HOST: '127.0.0.1',
      PORT: '0',
      DATA_DIR: dataDir,
      REMOVE_ON_EXIT: dataDir,
      ...(limits === 'raised' && raisedLimits()),
      ...settings,
    },
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const service: OwnService = {
    name,
    url: '',
    process: child,
    dataDir,
    [Symbol.asyncDispose]: () => stopServer(service),
  }
  running.add(service)
  try {
    service.url = await listeningUrl(child.stdout, child.stderr)
  } catch (error) {
    await stopServer(service)
    throw error
  }
  recordTraffic({ kind: 'server', server: name, limits, quotas: quotasIn(settings) })
  return service
}

function quotasIn(settings: Record<string, string>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(settings).flatMap(([name, value]) => {
      const policy = /^RATE_LIMIT_(.+)$/.exec(name)?.[1]?.toLowerCase()
      return policy === undefined ? [] : [[policy, Number.parseInt(value, 10)]]
    }),
  )
}

/** The service at `BASE_URL`, or where that is not set, one that this function starts. */
export async function mainServer(): Promise<Service> {
  const url = process.env.BASE_URL?.replace(/\/$/, '')
  return url ? { name: 'main', url } : startServer('main')
}

export async function stopServer(service: OwnService): Promise<void> {
  const timer = setTimeout(() => service.process.kill('SIGKILL'), killAfterMs)
  service.process.kill('SIGTERM')
  await service.process.exited
  clearTimeout(timer)
  rmSync(service.dataDir, { recursive: true, force: true })
  running.delete(service)
}

/** Stops every service that this process started. Each test file calls it through `setUpTestFile`. */
export async function stopServers(): Promise<void> {
  await Promise.all([...running].map(stopServer))
}

async function listeningUrl(
  stdout: ReadableStream<Uint8Array>,
  stderr: ReadableStream<Uint8Array>,
): Promise<string> {
  const reader = stdout.getReader()
  const decoder = new TextDecoder()
  let output = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) throw new Error(`The service did not start:\n${output}${await new Response(stderr).text()}`)
    output += decoder.decode(value, { stream: true })
    const line = output.split('\n').find((one) => one.includes('"msg":"listening"') && one.endsWith('}'))
    if (!line) continue
    // Keep reading the log: the service blocks when the pipe is full.
    reader.releaseLock()
    void stdout.pipeTo(new WritableStream())
    return (JSON.parse(line) as { url: string }).url
  }
}
