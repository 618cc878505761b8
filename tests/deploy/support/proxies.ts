import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { freePort } from '../../fixtures/free-port.ts'
import { endWithParent } from '../../unit/support/end-with-parent.ts'
import { temporaryFolder } from '../../unit/support/service.ts'
import { programPath } from './programs.ts'

export const deployFolder = join(import.meta.dir, '../../../docs/deploy')

export const deployFile = (name: string): Promise<string> => Bun.file(join(deployFolder, name)).text()

export interface DeployedProxy extends AsyncDisposable {
  /** The address under which the proxy publishes the service, without a slash at the end. */
  readonly url: string
  /** The port of the redirects to HTTPS, if the file has one. */
  readonly redirectPort: number | undefined
  /** The certificate that signs that of the proxy. */
  readonly ca: string
  /** Ends the proxy and all of its connections, and starts it again. */
  restart(): Promise<void>
}

interface ProxyOptions {
  /** The name of a file in `docs/deploy`. */
  readonly file: string
  /** The port of the service. */
  readonly upstream: number
  /** The path under which the file publishes the service. */
  readonly prefix: string
}

/** Replaces texts that have to occur, so that a test does not run a file that differs from the expected one. */
export function replaceAll(text: string, replacements: Readonly<Record<string, string>>): string {
  let result = text
  for (const [from, to] of Object.entries(replacements)) {
    if (!result.includes(from)) throw new Error(`The file does not contain ${from}`)
    result = result.replaceAll(from, to)
  }
  return result
}

/** Resolves when TLS works on the port. Caddy accepts connections before it has its certificate. */
async function listening(port: number, exited: Promise<unknown>): Promise<void> {
  let ended = false
  void exited.then(() => {
    ended = true
  })
  for (;;) {
    const accepted = await new Promise<boolean>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', rejectUnauthorized: false })
      socket.on('error', () => resolve(false))
      socket.on('secureConnect', () => {
        socket.destroy()
        resolve(true)
      })
    })
    if (accepted) return
    if (ended) throw new Error('The proxy ended')
    await Bun.sleep(10)
  }
}

/** Runs a program that listens on a port, and runs it again on request. */
async function startProgram(command: readonly string[], env: Record<string, string>, port: number) {
  async function start() {
    const child = endWithParent(
      Bun.spawn([...command], {
        env: { PATH: programPath, ...env },
        stdio: ['ignore', 'ignore', 'pipe'],
      }),
    )
    const errors = new Response(child.stderr).text()
    await listening(port, child.exited).catch(async (error) => {
      throw new Error(`${error.message}: ${await errors}`)
    })
    return child
  }

  let child = await start()
  async function kill() {
    child.kill('SIGKILL')
    await child.exited
  }
  return {
    async restart() {
      await kill()
      child = await start()
    },
    kill,
  }
}

/** Writes a certificate for localhost that signs itself, and its key. */
async function createCertificate(folder: string) {
  const [certificate, key] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')]
  const child = Bun.spawn(
    [
      ...['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'],
      ...['-keyout', key, '-out', certificate],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  if ((await child.exited) !== 0) throw new Error(await new Response(child.stderr).text())
  return { certificate, key, ca: await Bun.file(certificate).text() }
}

/** Starts nginx with a site of `docs/deploy`. Only ports and the paths of the certificate are replaced. */
export async function startNginx({ file, upstream, prefix }: ProxyOptions): Promise<DeployedProxy> {
  const folder = await temporaryFolder()
  const [port, redirects] = [freePort(), freePort()]
  const { certificate, key, ca } = await createCertificate(folder.path)
  const source = await deployFile(file)
  const hasRedirect = source.includes('listen 80;')
  const site = replaceAll(source, {
    'server 127.0.0.1:3000': `server 127.0.0.1:${upstream}`,
    'listen 443 ssl': `listen 127.0.0.1:${port} ssl`,
    ...(hasRedirect && { 'listen 80;': `listen 127.0.0.1:${redirects};` }),
    [/ssl_certificate (.*);/.exec(source)?.[1] ?? '']: certificate,
    [/ssl_certificate_key (.*);/.exec(source)?.[1] ?? '']: key,
  })
  const at = (name: string) => join(folder.path, name)
  await Bun.write(at('site.conf'), site)
  // What Debian's nginx.conf contains for all sites. One process, which ends when it is killed.
  await Bun.write(
    at('main.conf'),
    `daemon off; master_process off; pid ${at('pid')}; error_log stderr;
     events {}
     http {
       access_log off;
       ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((each) => `${each}_temp_path ${at(each)};`).join('\n')}
       include ${at('site.conf')};
     }`,
  )
  const nginx = await startProgram(
    ['nginx', '-e', 'stderr', '-p', folder.path, '-c', at('main.conf')],
    {},
    port,
  )
  return {
    url: `https://localhost:${port}${prefix}`,
    redirectPort: hasRedirect ? redirects : undefined,
    ca,
    restart: nginx.restart,
    async [Symbol.asyncDispose]() {
      await nginx.kill()
      await folder[Symbol.asyncDispose]()
    },
  }
}

/**
 * Starts Caddy with a file of `docs/deploy`. The name `localhost` makes Caddy sign the certificate itself, and the
 * global options keep it away from the ports and the certificates of this machine.
 */
export async function startCaddy({ file, upstream, prefix }: ProxyOptions): Promise<DeployedProxy> {
  const folder = await temporaryFolder()
  const [port, redirects] = [freePort(), freePort()]
  const options = `{
    admin off
    skip_install_trust
    http_port ${redirects}
    https_port ${port}
  }\n`
  await Bun.write(join(folder.path, 'Caddyfile'), options + (await deployFile(file)))
  await mkdir(join(folder.path, 'data'))
  await chmod(folder.path, 0o700)
  const caddy = await startProgram(
    ['caddy', 'run', '--config', join(folder.path, 'Caddyfile'), '--adapter', 'caddyfile'],
    {
      SITE: 'localhost',
      UPSTREAM: `127.0.0.1:${upstream}`,
      HOME: folder.path,
      XDG_DATA_HOME: join(folder.path, 'data'),
      XDG_CONFIG_HOME: folder.path,
    },
    port,
  )
  return {
    url: `https://localhost:${port}${prefix}`,
    redirectPort: redirects,
    ca: await Bun.file(join(folder.path, 'data/caddy/pki/authorities/local/root.crt')).text(),
    restart: caddy.restart,
    async [Symbol.asyncDispose]() {
      await caddy.kill()
      await folder[Symbol.asyncDispose]()
    },
  }
}
