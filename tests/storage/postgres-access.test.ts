import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateSecret } from '../../src/auth/secrets.ts'
import { freePort } from '../fixtures/free-port.ts'
import { type PostgresServer, skipsPostgres, startPostgres } from '../fixtures/postgres-server.ts'
import { runCommand } from '../unit/support/command.ts'
import { endWithParent } from '../unit/support/end-with-parent.ts'

setDefaultTimeout(180_000)

const settings = { JWT_SECRET: generateSecret() }

/** What `parley check` says about a database; empty if the service can start with it. */
async function faultsOf(url: string, environment: Readonly<Record<string, string>> = {}): Promise<string> {
  const { stdout } = await runCommand(['check', '--json'], {
    environment: { ...settings, ...environment, DATABASE_URL: url },
  })
  expect(stdout).not.toContain('secret-password')
  return (JSON.parse(stdout) as { faults: string[] }).faults.join('\n')
}

async function run(...command: string[]): Promise<void> {
  const child = Bun.spawn(command, { stdout: 'ignore', stderr: 'pipe' })
  const errors = await new Response(child.stderr).text()
  if ((await child.exited) !== 0) throw new Error(errors)
}

describe.skipIf(skipsPostgres)('a server with TLS and passwords', () => {
  let folder: string
  let server: PostgresServer

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'parley-tls-'))
    const [key, certificate, access] = ['key.pem', 'certificate.pem', 'pg_hba.conf'].map((name) =>
      join(folder, name),
    ) as [string, string, string]
    await run(
      ...['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-keyout', key, '-out', certificate, '-days', '2'],
      ...['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'],
    )
    await chmod(key, 0o600)
    await writeFile(
      access,
      `host all postgres 127.0.0.1/32 trust
       hostssl all encrypted 127.0.0.1/32 trust
       host all someone 127.0.0.1/32 scram-sha-256`,
    )
    if (process.getuid?.() === 0) await run('chown', '-R', 'postgres', folder)
    server = await startPostgres([
      'ssl=on',
      `ssl_cert_file=${certificate}`,
      `ssl_key_file=${key}`,
      `hba_file=${access}`,
    ])
    await server.query('postgres', "create role encrypted login; create role someone login password 'right'")
  })

  afterAll(async () => {
    await server?.[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  const as = (user: string, parameters = '') =>
    server.url('postgres').replace('postgres@', `${user}@`) + parameters

  test('and a wrong password, or none', async () => {
    for (const user of ['someone:secret-password', 'someone']) {
      expect(await faultsOf(as(user))).toContain(
        'refuses the user someone: password authentication failed for user "someone". Check the user and the password.',
      )
    }
    expect(await faultsOf(as('someone:right'))).toBe('')
  })

  test('that a user may only reach with TLS', async () => {
    expect(await faultsOf(as('encrypted'))).toContain('Add ?sslmode=require to the URL')
    expect(await faultsOf(as('encrypted', '?sslmode=require'))).toBe('')
  })

  test('whose certificate is not trusted', async () => {
    const url = as('encrypted', '?sslmode=verify-full')
    expect(await faultsOf(url)).toContain('has a certificate that is not trusted: self signed certificate.')
    expect(await faultsOf(url, { NODE_EXTRA_CA_CERTS: join(folder, 'certificate.pem') })).toBe('')
  })
})

describe.skipIf(skipsPostgres)('a server without TLS', () => {
  test('when the URL requires it, and a mode that does not exist', async () => {
    await using server = await startPostgres()
    expect(await faultsOf(`${server.url('postgres')}?sslmode=require`)).toContain('does not support TLS.')
    expect(await faultsOf(`${server.url('postgres')}?sslmode=on`)).toBe(
      'DATABASE_URL: sslmode must be one of disable, allow, prefer, require, verify-ca, verify-full',
    )
  })
})

const pgbouncer = ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer'].find((path) => Bun.which(path) !== null)
if (pgbouncer === undefined) console.error('SKIPPED: the test of a pooler. Install the package pgbouncer.')

/** Starts PgBouncer in front of the server. It ends with the process that started it. */
async function startPooler(server: PostgresServer, configuration: string) {
  const folder = await mkdtemp(join(tmpdir(), 'parley-pooler-'))
  const [file, port] = [join(folder, 'pgbouncer.ini'), freePort()]
  await writeFile(
    file,
    `[databases]
     * = host=127.0.0.1 port=${server.port} user=postgres
     [pgbouncer]
     listen_addr = 127.0.0.1
     listen_port = ${port}
     unix_socket_dir =
     auth_type = any
     ${configuration}`.replaceAll(/^ +/gm, ''),
  )
  if (process.getuid?.() === 0) await run('chown', '-R', 'postgres', folder)
  // PgBouncer refuses to run as root.
  const user = process.getuid?.() === 0 ? ['-u', 'postgres'] : []
  const child = endWithParent(
    Bun.spawn([pgbouncer as string, ...user, file], { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' }),
  )
  const reader = child.stderr.getReader()
  for (let text = ''; !text.includes('process up'); ) {
    const { done, value } = await reader.read()
    if (done) throw new Error(`PgBouncer did not start: ${text}`)
    text += new TextDecoder().decode(value)
  }
  reader.releaseLock()
  return {
    url: server.url('postgres').replace(`:${server.port}/`, `:${port}/`),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await child.exited
      await rm(folder, { recursive: true, force: true })
    },
  }
}

describe.skipIf(skipsPostgres || pgbouncer === undefined)('a pooler', () => {
  const parameters =
    'default_transaction_isolation,jit,statement_timeout,lock_timeout,idle_in_transaction_session_timeout'

  test.each(['transaction', 'statement', 'session'])('in the mode %s', async (mode) => {
    await using server = await startPostgres()
    {
      await using pooler = await startPooler(server, `pool_mode = ${mode}`)
      expect(await faultsOf(pooler.url)).toContain('is a connection pooler, or does not support the session')
    }
    const ignoring = `pool_mode = ${mode}\nignore_startup_parameters = ${parameters}`
    await using pooler = await startPooler(server, ignoring)
    expect(await faultsOf(pooler.url)).toContain('is a connection pooler that ignores the settings')
  })
})
