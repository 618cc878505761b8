import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { contract } from './contract.ts'
import { record, type ServerStarted } from './traffic.ts'

/** A service that the suite talks to. */
export interface Service {
  name: string
  url: string
  /** Only of a service that the suite started itself. */
  process?: Bun.Subprocess
  dataDir?: string
}

const entry = join(import.meta.dir, '../../../src/main.ts')
const started: Service[] = []

/** Quotas that no run uses up, for every policy that the documents name. */
function raisedLimits(): Record<string, string> {
  const limits = [
    ...contract.operations.map((one) => one.rateLimit),
    contract.channel.rateLimit,
    contract.channel.sendLimit,
  ]
  return Object.fromEntries(
    limits.map(({ policy }) => [`RATE_LIMIT_${policy.toUpperCase()}`, '1000000/3600']),
  )
}

/**
 * Starts the service in a temporary folder on a free port, and waits until it listens.
 *
 * @param settings environment variables on top of raised quotas
 * @param preload a file of this folder that the service loads before its own
 * @throws Error with what the service printed, if it does not start
 */
export async function startServer(
  name: string,
  settings: Record<string, string> = {},
  limits: ServerStarted['limits'] = 'raised',
  preload?: string,
): Promise<Service & { process: Bun.Subprocess; dataDir: string }> {
  const dataDir = mkdtempSync(join(tmpdir(), 'parley-contract-'))
  const child = Bun.spawn(
    [process.execPath, ...(preload ? ['--preload', join(import.meta.dir, preload)] : []), entry],
    {
      env: {
        PATH: process.env.PATH,
        HOST: '127.0.0.1',
        PORT: '0',
        DATA_DIR: dataDir,
        ...(limits === 'raised' && raisedLimits()),
        ...settings,
      },
      stdout: 'pipe',
      stderr: 'pipe',
    },
  )
  const service = { name, url: await listeningUrl(child.stdout, child.stderr), process: child, dataDir }
  started.push(service)
  record({ kind: 'server', server: name, limits })
  return service
}

/** The service at `BASE_URL`, which the driver started unless someone else did. */
export const main: Service = { name: 'main', url: (process.env.BASE_URL ?? '').replace(/\/$/, '') }

export async function stopServer(service: Service): Promise<void> {
  service.process?.kill('SIGTERM')
  await service.process?.exited
  if (service.dataDir) rmSync(service.dataDir, { recursive: true, force: true })
}

process.on('exit', () => {
  for (const service of started) {
    service.process?.kill('SIGKILL')
    if (service.dataDir) rmSync(service.dataDir, { recursive: true, force: true })
  }
})

async function listeningUrl(
  stdout: ReadableStream<Uint8Array>,
  stderr: ReadableStream<Uint8Array>,
): Promise<string> {
  const reader = stdout.getReader()
  const decoder = new TextDecoder()
  let printed = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) throw new Error(`The service did not start:\n${printed}${await new Response(stderr).text()}`)
    printed += decoder.decode(value, { stream: true })
    const line = printed.split('\n').find((one) => one.includes('"msg":"listening"') && one.endsWith('}'))
    if (!line) continue
    // The log has to be read on, or the service would wait for a full pipe.
    reader.releaseLock()
    void stdout.pipeTo(new WritableStream())
    return (JSON.parse(line) as { url: string }).url
  }
}
