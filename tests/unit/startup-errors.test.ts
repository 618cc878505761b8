import { Database as Sqlite } from 'bun:sqlite'
import { afterAll, describe, expect, test } from 'bun:test'
import { generateKeyPairSync } from 'node:crypto'
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const project = resolve(import.meta.dirname, '../..')
const folder = await mkdtemp(join(tmpdir(), 'parley-startup-'))
afterAll(() => rm(folder, { recursive: true }))

/** Root may access every file, so as root the service runs as "nobody"; setpriv is part of util-linux. */
const isRoot = process.getuid?.() === 0
const nobody = 65_534
const serviceUid = isRoot ? nobody : process.getuid?.()
const asNobody = ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups', '--']
const canRunAsNobody =
  !isRoot ||
  (Bun.which('setpriv') !== null &&
    Bun.spawnSync([...asNobody, process.execPath, '--version'], { cwd: project }).success)

/** Port 80 is reserved unless the kernel says otherwise, as it does in Docker's containers. */
const firstFreePort = Number(
  await readFile('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8').catch(() => '0'),
)

let next = 0
const newPath = () => join(folder, `data-${next++}`)

const publicKey = JSON.stringify(generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }))

/** The exit code and the message of a service that does not start. */
async function refusal(environment: Record<string, string>, { unprivileged = false } = {}) {
  const child = Bun.spawn([...(unprivileged && isRoot ? asNobody : []), process.execPath, 'src/main.ts'], {
    cwd: project,
    env: { PATH: process.env.PATH, HOST: '127.0.0.1', PORT: '0', DATA_DIR: newPath(), ...environment },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [output, message] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  expect(output).not.toContain('"listening"')
  expect(message).not.toMatch(/\bat .+:\d+:\d+/)
  expect(message.trim().split('\n')).toHaveLength(1)
  expect(await child.exited).toBe(1)
  return message
}

describe('the message for an address that cannot be used names the setting and the remedy', () => {
  test.each([
    ['300.1.1.1', 'neither an address nor a name that resolves'],
    ['no-such-host.invalid', 'neither an address nor a name that resolves'],
    ['192.0.2.1', 'is not an address of this machine'],
    ['2001:db8::1', '2001:db8::1'],
  ])('HOST=%s', async (host, cause) => {
    const message = await refusal({ HOST: host })
    expect(message).toStartWith('HOST')
    expect(message).toContain(host)
    expect(message).toContain(cause)
    expect(message).toContain('Set HOST to')
  })

  test('a port in use', async () => {
    await using other = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() })
    const message = await refusal({ PORT: String(other.port) })
    expect(message).toStartWith(`PORT: 127.0.0.1:${other.port} is in use.`)
    expect(message).toContain('set PORT')
  })

  test('the address of the metrics', async () => {
    await using other = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() })
    const taken = String(other.port)
    const inUse = await refusal({ METRICS_PORT: taken })
    expect(inUse).toStartWith(`METRICS_PORT: 127.0.0.1:${taken} is in use.`)
    expect(inUse).toContain('set METRICS_PORT')
    const foreign = await refusal({ METRICS_PORT: '0', METRICS_HOST: '192.0.2.1' })
    expect(foreign).toStartWith('METRICS_HOST')
    expect(foreign).toContain('Set METRICS_HOST to')
  })

  test('a port in use, while metrics are served', async () => {
    await using other = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() })
    const message = await refusal({ PORT: String(other.port), METRICS_PORT: '0' })
    expect(message).toStartWith(`PORT: 127.0.0.1:${other.port} is in use.`)
  })

  test.skipIf(!canRunAsNobody || firstFreePort <= 80)('a port below 1024', async () => {
    const path = newPath()
    await mkdir(path)
    if (isRoot) await chown(path, nobody, nobody)
    await chmod(folder, 0o755)
    const message = await refusal({ PORT: '80', DATA_DIR: path }, { unprivileged: true })
    expect(message).toStartWith(`PORT: uid ${serviceUid} may not listen on port 80.`)
    expect(message).toContain('Set PORT to')
  })
})

describe('the message for data that cannot be used names the setting, the path and the remedy', () => {
  test('DATA_DIR is a file, and the file stays', async () => {
    const path = newPath()
    await writeFile(path, 'a file')
    expect(await refusal({ DATA_DIR: path })).toBe(
      `DATA_DIR: ${path} is not a folder. Move it away, or change DATA_DIR.\n`,
    )
    expect(await readFile(path, 'utf8')).toBe('a file')
  })

  test('DATA_DIR is below a file', async () => {
    const path = newPath()
    await writeFile(path, 'a file')
    expect(await refusal({ DATA_DIR: join(path, 'data') })).toBe(
      `DATA_DIR: ${path}/data cannot be created, because ${path} is a file. Move it away, or change DATA_DIR.\n`,
    )
  })

  test.each(['parley.sqlite', 'parley.sqlite-wal', 'parley.lock', 'jwt-secret', 'jwt-key.previous.json'])(
    '%s is a folder',
    async (name) => {
      const path = newPath()
      await mkdir(join(path, name), { recursive: true })
      const message = await refusal({ DATA_DIR: path })
      expect(message).toStartWith(`DATA_DIR: ${path}/${name} is not a file.`)
      expect(message).toContain('change DATA_DIR')
    },
  )

  test('jwt-secret is empty', async () => {
    const path = newPath()
    await mkdir(path)
    await writeFile(join(path, 'jwt-secret'), '')
    const message = await refusal({ DATA_DIR: path })
    expect(message).toStartWith(`DATA_DIR: ${path}/jwt-secret is empty`)
    expect(message).toContain('set JWT_SECRET')
  })

  const keyFiles: [string, string, string, string, string][] = [
    [
      'jwt-secret',
      'a secret that is easy to guess',
      'changeme'.repeat(4),
      'is easy to guess: it repeats itself',
      'HS256',
    ],
    ['jwt-secret.previous', 'an empty file', '', 'is empty', 'HS256'],
    ['jwt-secret.previous', 'a short secret', 'short', 'is too short', 'EdDSA'],
    ['jwt-key.json', 'an empty file', '', 'is empty', 'EdDSA'],
    ['jwt-key.json', 'a truncated file', '{"kty":"OKP","crv":"Ed', 'is not valid JSON', 'EdDSA'],
    ['jwt-key.json', 'another key', '{"kty":"RSA"}', 'is not an Ed25519 key', 'EdDSA'],
    ['jwt-key.json', 'a public key', publicKey, 'is a public key', 'EdDSA'],
    ['jwt-key.previous.json', 'text', 'not a key', 'is neither a JSON Web Key nor unencrypted PEM', 'HS256'],
  ]
  for (const [name, damage, content, message, algorithm] of keyFiles) {
    test(`${name} is damaged: ${damage}; it is not changed`, async () => {
      const path = newPath()
      await mkdir(path)
      await writeFile(join(path, name), content)
      const received = await refusal({ DATA_DIR: path, JWT_ALGORITHM: algorithm })
      expect(received).toStartWith(`DATA_DIR: ${path}/${name} ${message}`)
      expect(received).toMatch(/Restore the file.*, set JWT_\w+, or remove the file/)
      if (content.length > 8) expect(received).not.toContain(content)
      expect(await readFile(join(path, name), 'utf8')).toBe(content)
    })
  }

  test('parley.sqlite is locked by another program', async () => {
    const path = newPath()
    await refusal({ DATA_DIR: path, HOST: '300.1.1.1' })
    const other = new Sqlite(join(path, 'parley.sqlite'))
    other.run('pragma locking_mode = exclusive')
    other.run('begin exclusive')
    const message = await refusal({ DATA_DIR: path })
    other.close()
    expect(message).toStartWith(`DATA_DIR: ${path}/parley.sqlite is locked by another program.`)
  })

  test('parley.sqlite is a database of another program', async () => {
    const path = newPath()
    await mkdir(path)
    using other = new Sqlite(join(path, 'parley.sqlite'))
    other.run('create table users (name text)')
    expect(await refusal({ DATA_DIR: path })).toContain(
      `${path}/parley.sqlite is a database of another program`,
    )
    expect(other.query('select name from sqlite_schema').values()).toEqual([['users']])
  })
})

/** Needs permissions that hold: either not root, or setpriv and a Bun that other users may execute. */
describe.skipIf(!canRunAsNobody)('the message for missing permissions names both uids and the remedy', () => {
  /** A folder of this process's user that the service's user can enter but not change. */
  async function foreignFolder(files: Readonly<Record<string, number>> = {}, mode = 0o755): Promise<string> {
    await chmod(folder, 0o755)
    const path = newPath()
    await mkdir(path)
    for (const [name, fileMode] of Object.entries(files)) {
      await writeFile(join(path, name), '')
      await chmod(join(path, name), fileMode)
    }
    if (!isRoot) mode &= ~0o222
    await chmod(path, mode)
    return path
  }

  function expectDenial(message: string, path: string, place = path): void {
    const owner = process.getuid?.()
    expect(message).toStartWith(
      `DATA_DIR: ${path} is not accessible to the service, which runs as uid ${serviceUid}: ` +
        `${place} belongs to uid ${owner} and has mode `,
    )
    expect(message).toContain(`Run "chown -R ${serviceUid} ${place}"`)
    expect(message).toContain('change DATA_DIR')
  }

  test('a folder that belongs to another user', async () => {
    const path = await foreignFolder()
    expectDenial(await refusal({ DATA_DIR: path }, { unprivileged: true }), path)
  })

  test('a folder that has to be created in a folder of another user', async () => {
    const parent = await foreignFolder()
    const path = join(parent, 'data')
    expectDenial(await refusal({ DATA_DIR: path }, { unprivileged: true }), path, parent)
  })

  test.each(['parley.sqlite', 'parley.lock', 'jwt-secret', 'jwt-secret.previous'])(
    '%s without permissions',
    async (name) => {
      const path = await foreignFolder({ [name]: isRoot ? 0o600 : 0 }, 0o777)
      if (!isRoot) await chmod(path, 0o700)
      expectDenial(await refusal({ DATA_DIR: path }, { unprivileged: true }), join(path, name))
    },
  )

  // Only the owner of a file may change its mode, and jwt-secret must not be readable for others.
  test.skipIf(!isRoot)('jwt-secret that belongs to another user, although it is writable', async () => {
    const path = await foreignFolder({ 'jwt-secret': 0o666 }, 0o777)
    expectDenial(await refusal({ DATA_DIR: path }, { unprivileged: true }), join(path, 'jwt-secret'))
  })
})
