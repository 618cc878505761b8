import { describe, expect, test } from 'bun:test'
import { chmod, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { spawnService, startChild } from './support/child.ts'
import { bearer, temporaryFolder } from './support/service.ts'

/** The exit code and the words of a service that does not start. */
async function refusal(environment: Record<string, string>) {
  const child = spawnService({ environment: { NODE_ENV: 'production', ...environment } })
  const [output, words] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  return { code: await child.exited, words, output }
}

test('a second process on the port says so and exits 1, and the first goes on', async () => {
  await using first = await temporaryFolder()
  await using second = await temporaryFolder()
  await using service = await startChild({ environment: { NODE_ENV: 'production', DATA_DIR: first.path } })
  const port = new URL(service.url).port
  const { code, words } = await refusal({ DATA_DIR: second.path, PORT: port })
  expect(code).toBe(1)
  expect(words).toContain(`127.0.0.1:${port} is taken`)
  expect(words).not.toMatch(/\bat .+:\d+:\d+/)
  expect((await fetch(`${service.url}/livez`)).status).toBe(200)
})

test('a configuration with faults exits 1 and names each', async () => {
  const { code, words } = await refusal({ PORT: 'x', MAX_SOCKETS: '0' })
  expect(code).toBe(1)
  expect(words).toContain('PORT')
  expect(words).toContain('MAX_SOCKETS')
})

describe('the secret', () => {
  test('is made at the first start, readable by its owner only, and tokens survive a restart', async () => {
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

    // Whoever loosened it, the next start tightens it again.
    await chmod(file, 0o644)
    await using service = await startChild({ environment })
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(await readFile(file, 'utf8')).toBe(secret)
    const profile = await fetch(`${service.url}/api/users/profile`, { headers: bearer(token) })
    expect(profile.status).toBe(200)
    const log = await service.stop()
    for (const each of [secret.trim(), token, account.password]) expect(log).not.toContain(each)
  })

  test('that is too short is refused, and left as it is', async () => {
    await using folder = await temporaryFolder()
    await writeFile(join(folder.path, 'jwt-secret'), 'short\n')
    const { code, words } = await refusal({ DATA_DIR: folder.path })
    expect([code, words]).toEqual([1, expect.stringContaining('too short')])
    expect(await readFile(join(folder.path, 'jwt-secret'), 'utf8')).toBe('short\n')
  })
})

describe('a damaged database is refused, with what to do, and left as it is', () => {
  async function made(path: string): Promise<string> {
    await using service = await startChild({ environment: { NODE_ENV: 'production', DATA_DIR: path } })
    await service.stop()
    for (const name of await readdir(path)) if (/-(wal|shm)$/.test(name)) await rm(join(path, name))
    return join(path, 'parley.sqlite')
  }

  const damages: [string, (file: string) => Promise<void>][] = [
    ['emptied', (file) => truncate(file, 0)],
    ['cut off', (file) => truncate(file, 5000)],
    ['cut to less than its header', (file) => truncate(file, 50)],
    [
      'another kind of file',
      (file) => writeFile(file, 'not a database, but long enough to look like something\n'.repeat(200)),
    ],
    [
      'overwritten within',
      async (file) => {
        const bytes = await readFile(file)
        bytes.fill(0xaa, 4096, 8192)
        await writeFile(file, bytes)
      },
    ],
    ['all zeros', async (file) => writeFile(file, Buffer.alloc(8192))],
  ]
  for (const [name, damage] of damages) {
    test(name, async () => {
      await using folder = await temporaryFolder()
      const file = await made(folder.path)
      await damage(file)
      const before = await readFile(file)
      const { code, words } = await refusal({ DATA_DIR: folder.path })
      expect(code).toBe(1)
      expect(words).toMatch(/Restore it from a backup/)
      expect(words).not.toMatch(/\bat .+:\d+:\d+/)
      expect((await readFile(file)).equals(before)).toBe(true)
    })
  }
})
