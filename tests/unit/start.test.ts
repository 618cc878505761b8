import { describe, expect, test } from 'bun:test'
import { chmod, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { spawnService, startChild } from './support/child.ts'
import { bearer, temporaryFolder } from './support/service.ts'

/** Starts a service that is expected to exit, and returns its exit code and its output. */
async function refusal(environment: Record<string, string>) {
  const child = spawnService({ environment: { NODE_ENV: 'production', ...environment } })
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  return { code: await child.exited, stdout, stderr }
}

test('a second process on the same port exits with 1 and an explanation; the first keeps running', async () => {
  await using first = await temporaryFolder()
  await using second = await temporaryFolder()
  await using service = await startChild({ environment: { NODE_ENV: 'production', DATA_DIR: first.path } })
  const port = new URL(service.url).port
  const { code, stderr } = await refusal({ DATA_DIR: second.path, PORT: port })
  expect(code).toBe(1)
  expect(stderr).toContain(`127.0.0.1:${port} is in use. Stop the process that listens there, or set PORT.`)
  expect(stderr).not.toMatch(/\bat .+:\d+:\d+/)
  expect((await fetch(`${service.url}/livez`)).status).toBe(200)
})

test('an invalid configuration exits with 1 and names every fault', async () => {
  const { code, stderr } = await refusal({ PORT: 'x', MAX_SOCKETS: '0' })
  expect(code).toBe(1)
  expect(stderr).toContain('PORT')
  expect(stderr).toContain('MAX_SOCKETS')
})

describe('the generated secret', () => {
  test('is readable by its owner only, and tokens survive a restart', async () => {
    await using folder = await temporaryFolder()
    const environment = { NODE_ENV: 'production', DATA_DIR: folder.path }
    const account = { username: 'someone', password: 'a long password' }
    const post = (url: string, path: string) =>
      fetch(url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(account),
      })
    let token: string
    {
      await using service = await startChild({ environment })
      await post(service.url, '/api/auth/register')
      token = ((await (await post(service.url, '/api/auth/login')).json()) as { token: string }).token
      await service.stop()
    }
    const file = join(folder.path, 'jwt-secret')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    const secret = await readFile(file, 'utf8')
    expect(Buffer.from(secret.trim(), 'base64url')).toHaveLength(48)

    // The next start restores the permissions.
    await chmod(file, 0o644)
    await using service = await startChild({ environment })
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(await readFile(file, 'utf8')).toBe(secret)
    const profile = await fetch(`${service.url}/api/users/profile`, { headers: bearer(token) })
    expect(profile.status).toBe(200)
    const log = await service.stop()
    for (const each of [secret.trim(), token, account.password]) expect(log).not.toContain(each)
  })

  test('is refused if it is too short, and the file is not changed', async () => {
    await using folder = await temporaryFolder()
    await writeFile(join(folder.path, 'jwt-secret'), 'short\n')
    const { code, stderr } = await refusal({ DATA_DIR: folder.path })
    expect([code, stderr]).toEqual([1, expect.stringContaining('too short')])
    expect(await readFile(join(folder.path, 'jwt-secret'), 'utf8')).toBe('short\n')
  })
})

describe('a damaged database prevents the start, is explained, and is not changed', () => {
  async function createDatabase(path: string): Promise<string> {
    await using service = await startChild({ environment: { NODE_ENV: 'production', DATA_DIR: path } })
    await service.stop()
    for (const name of await readdir(path)) if (/-(wal|shm)$/.test(name)) await rm(join(path, name))
    return join(path, 'parley.sqlite')
  }

  const damages: [string, (file: string) => Promise<void>][] = [
    ['an empty file', (file) => truncate(file, 0)],
    ['a truncated file', (file) => truncate(file, 5000)],
    ['a file shorter than the header', (file) => truncate(file, 50)],
    [
      'a file that is not a database',
      (file) => writeFile(file, 'not a database, but long enough to look like something\n'.repeat(200)),
    ],
    [
      'an overwritten page',
      async (file) => {
        const bytes = await readFile(file)
        bytes.fill(0xaa, 4096, 8192)
        await writeFile(file, bytes)
      },
    ],
    ['a file of zeros', async (file) => writeFile(file, Buffer.alloc(8192))],
  ]
  for (const [name, damage] of damages) {
    test(name, async () => {
      await using folder = await temporaryFolder()
      const file = await createDatabase(folder.path)
      await damage(file)
      const before = await readFile(file)
      const { code, stderr } = await refusal({ DATA_DIR: folder.path })
      expect(code).toBe(1)
      expect(stderr).toMatch(/Restore it from a backup/)
      expect(stderr).not.toMatch(/\bat .+:\d+:\d+/)
      expect((await readFile(file)).equals(before)).toBe(true)
    })
  }
})
