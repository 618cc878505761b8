import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '../faults/waiting.ts'
import { freePort } from '../fixtures/free-port.ts'
import { endWithParent } from '../unit/support/end-with-parent.ts'
import { caddyFile } from './compose.ts'

const program = Bun.which('caddy')
if (program === null) console.error('SKIPPED: the tests behind Caddy. Install the package caddy.')

export const skipsCaddy = program === null

interface CaddyOptions {
  /** The addresses of the nodes, such as `127.0.0.1:3000`. */
  readonly nodes: readonly string[]
  readonly scheme?: 'http' | 'https'
}

/** Starts Caddy with the Caddyfile of compose.yaml, on free ports. It ends with the process that started it. */
export async function startCaddy({ nodes, scheme = 'http' }: CaddyOptions) {
  const folder = await mkdtemp(join(tmpdir(), 'parley-caddy-'))
  const [httpPort, httpsPort] = [freePort(), freePort()]
  const url = `${scheme}://localhost:${scheme === 'http' ? httpPort : httpsPort}`
  const child = endWithParent(
    Bun.spawn([program as string, 'run', '--config', caddyFile, '--adapter', 'caddyfile'], {
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        XDG_DATA_HOME: folder,
        XDG_CONFIG_HOME: folder,
        SITE: url,
        NODES: nodes.join(' '),
        HTTP_PORT: String(httpPort),
        HTTPS_PORT: String(httpsPort),
      },
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: 'pipe',
    }),
  )
  const reader = child.stderr.getReader()
  let text = ''
  while (!text.includes('serving initial configuration')) {
    const { done, value } = await reader.read()
    if (done) throw new Error(`Caddy did not start:\n${text}`)
    text += new TextDecoder().decode(value)
  }
  reader.releaseLock()
  void child.stderr.pipeTo(new WritableStream())
  const authority = join(folder, 'caddy/pki/authorities/local/root.crt')
  return {
    url,
    /** The certificate of the authority that has signed the certificate of localhost, which then exists. */
    async authority(): Promise<string> {
      await until(20_000, 'Caddy has created its authority', () => existsSync(authority))
      const ca = await readFile(authority, 'utf8')
      await until(20_000, 'Caddy has created the certificate of localhost', async () => {
        try {
          return (await fetch(`${url}/livez`, { tls: { ca } })).status > 0
        } catch {
          return false
        }
      })
      return ca
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await child.exited
      await rm(folder, { recursive: true, force: true })
    },
  }
}
