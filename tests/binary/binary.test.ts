import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { type LiveService, startService } from '../examples/live-service.ts'
import { buildBinary } from '../fixtures/binary.ts'
import { skipsPostgres, startPostgres } from '../fixtures/postgres-server.ts'
import { skipsRedis, startRedis } from '../fixtures/redis-server.ts'

const project = resolve(import.meta.dirname, '../..')
let folder: string
let binary: string
let service: LiveService

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-binary-'))
  binary = join(folder, 'parley')
  await buildBinary(binary)
  // Started in an empty folder, where it cannot find files of the project.
  service = await startService({ command: [binary] })
})
afterAll(async () => {
  await service?.stop()
  await rm(folder, { recursive: true })
})

const bytesOf = async (path: string) => new Uint8Array(await Bun.file(join(project, path)).arrayBuffer())
const served = async (path: string) => new Uint8Array(await (await fetch(service.url + path)).arrayBuffer())

function post(path: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(service.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
}

test('the binary contains the migrations and the validators: a message can be sent and read', async () => {
  const user = { username: 'binary', password: 'correct horse battery staple' }
  expect((await post('/api/auth/register', user)).status).toBe(201)
  const { token } = (await (await post('/api/auth/login', user)).json()) as { token: string }
  const authorization = `Bearer ${token}`
  expect((await post('/api/chats/send', { message: '' }, { authorization })).status).toBe(422)
  expect((await post('/api/chats/send', { message: 'Hello' }, { authorization })).status).toBe(200)
  const page = await fetch(`${service.url}/api/chats/messages`, { headers: { authorization } })
  expect(await page.json()).toMatchObject({ messages: [{ message: 'Hello', user: { username: 'binary' } }] })
})

test('with EdDSA, the binary publishes the public key with which other programs verify its tokens', async () => {
  const other = await startService({ command: [binary], environment: { JWT_ALGORITHM: 'EdDSA' } })
  try {
    const body = JSON.stringify({ username: 'binary', password: 'correct horse battery staple' })
    const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body }
    const registered = await fetch(`${other.url}/api/auth/register`, request)
    const { user } = (await registered.json()) as { user: { id: string } }
    const { token } = (await (await fetch(`${other.url}/api/auth/login`, request)).json()) as {
      token: string
    }
    const keys = (await (await fetch(`${other.url}/.well-known/jwks.json`)).json()) as JSONWebKeySet
    const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(keys), { typ: 'at+jwt' })
    expect([payload.sub, protectedHeader.kid]).toEqual([user.id, keys.keys[0]?.kid])
    const profile = await fetch(`${other.url}/api/users/profile`, {
      headers: { authorization: `Bearer ${token}` },
    })
    expect(profile.status).toBe(200)
  } finally {
    await other.stop()
  }
})

test.each(['openapi.yaml', 'asyncapi.yaml'])('the binary contains %s unchanged', async (document) => {
  expect(await served(`/${document}`)).toEqual(await bytesOf(`spec/${document}`))
})

test('the binary serves the OpenAPI document as JSON', async () => {
  const source = Bun.YAML.parse(await Bun.file(join(project, 'spec/openapi.yaml')).text())
  expect(await (await fetch(`${service.url}/openapi.json`)).json()).toEqual(source)
})

test.each(['swagger-ui-bundle.js', 'swagger-ui.css', 'index.css', 'favicon-32x32.png'])(
  'the binary contains %s for the Swagger page',
  async (asset) => {
    expect(await served(`/swagger/${asset}`)).toEqual(await bytesOf(`node_modules/swagger-ui-dist/${asset}`))
  },
)

test('the binary contains the script of the try-it page, the client and the page of the WebSocket', async () => {
  const script = await fetch(`${service.url}/try/page.js`)
  expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
  expect(await script.text()).toContain('Hello, Ada!')
  expect(await (await fetch(`${service.url}/client.js`)).text()).toContain('createClient')
  expect(await (await fetch(`${service.url}/websocket`)).text()).toContain('id="close-codes"')
})

test('the binary contains the client', async () => {
  const script = await (await fetch(`${service.url}/client.js`)).text()
  expect(script).toContain('createClient')
  expect(script).not.toContain('contract.gen.ts')
})

test('the binary contains the guides', async () => {
  const page = await fetch(`${service.url}/guides/realtime`)
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(await page.text()).toContain('<h2 id="resuming">')
})

test('the Swagger page is not sent again to a client that has it', async () => {
  const first = await fetch(`${service.url}/swagger`)
  expect(first.headers.get('content-type')).toBe('text/html; charset=utf-8')
  const again = await fetch(`${service.url}/swagger`, {
    headers: { 'if-none-match': `"something-else", ${first.headers.get('etag')}` },
  })
  expect(again.status).toBe(304)
  expect(await again.text()).toBe('')
})

test.each(['/swagger', '/swagger/swagger-ui.css', '/openapi.json', '/openapi.yaml', '/asyncapi.yaml'])(
  'HEAD %s has the headers of GET and no body',
  async (path) => {
    const [head, get] = [await fetch(service.url + path, { method: 'HEAD' }), await fetch(service.url + path)]
    expect(head.status).toBe(200)
    for (const name of ['content-type', 'content-length', 'etag', 'content-security-policy']) {
      expect(head.headers.get(name)).toBe(get.headers.get(name))
    }
    expect(await head.text()).toBe('')
  },
)

test('other assets do not exist', async () => {
  expect((await fetch(`${service.url}/swagger/absolute-path.js`)).status).toBe(404)
})

test('the healthcheck command exits with 0 if the service is healthy and with 1 if not', async () => {
  const healthcheck = async (port: string) => {
    const env = { HOST: '127.0.0.1', PORT: port }
    return Bun.spawn([binary, 'healthcheck'], { cwd: folder, env, stdin: 'ignore' }).exited
  }
  expect(await healthcheck(new URL(service.url).port)).toBe(0)
  // Nothing listens on port 9, the discard protocol.
  expect(await healthcheck('9')).toBe(1)
})

test('the binary exits with 0 after SIGTERM', async () => {
  const other = await startService({ command: [binary] })
  expect(await other.stop()).toBe(0)
})

/** Runs the binary with arguments, in an empty environment and in a folder without files of the project. */
async function run(arguments_: readonly string[], dataDir: string, input = '') {
  const child = Bun.spawn([binary, ...arguments_], {
    cwd: folder,
    env: { DATA_DIR: dataDir },
    stdin: new Blob([input]),
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  return { exitCode: await child.exited, stdout, stderr }
}

test('the binary has the commands, and never starts a server for an unknown one', async () => {
  const help = await run(['--help'], folder)
  expect([help.exitCode, help.stderr]).toEqual([0, ''])
  for (const command of ['check', 'users', 'messages', 'backup', 'restore', 'healthcheck', 'serve']) {
    expect(help.stdout).toMatch(new RegExp(`^  ${command} `, 'm'))
  }
  const unknown = await run(['migrate'], folder)
  expect([unknown.exitCode, unknown.stdout]).toEqual([2, ''])
  expect(unknown.stderr).toContain('Usage: parley')
})

test('the commands of the binary administer, back up and restore the data of a running service', async () => {
  const dataDir = join(folder, 'operated')
  const environment = { DATA_DIR: dataDir }
  const running = await startService({ command: [binary], environment })
  const backup = join(folder, 'backup.sqlite')
  const added = await run(['users', 'add', 'operated'], dataDir, 'correct horse battery staple\n')
  expect(added).toMatchObject({ exitCode: 0, stderr: '' })
  expect((await run(['users', 'list'], dataDir)).stdout).toContain('operated')
  const checked = await run(['check', '--json'], dataDir)
  expect(checked.exitCode).toBe(0)
  expect(JSON.parse(checked.stdout)).toMatchObject({ faults: [], dataDir })
  // The backup runs in a thread, whose program is a second one in the binary.
  expect(await run(['backup', backup], dataDir)).toMatchObject({ exitCode: 0, stderr: '' })
  expect((await run(['restore', backup], dataDir)).exitCode).toBe(1)
  await running.stop()
  expect((await run(['users', 'remove', 'operated', '--yes'], dataDir)).exitCode).toBe(0)
  expect((await run(['restore', backup], dataDir)).exitCode).toBe(0)
  expect((await run(['users', 'show', 'operated'], dataDir)).stdout).toMatch(/^removed +no$/m)
})

test.skipIf(skipsPostgres)(
  'the binary contains the clients, the tables and the commands for PostgreSQL and Redis',
  async () => {
    await using postgres = await startPostgres()
    const environment = {
      DATABASE_URL: postgres.url(await postgres.createDatabase()),
      JWT_SECRET: 'k3Jv9qLz7Xw2Rb8Nf4Tc6Ym1Pd5Hs0Ga',
    }
    await using redis = skipsRedis ? undefined : await startRedis()
    const node = await startService({
      command: [binary],
      environment: { ...environment, ...(redis && { REDIS_URL: redis.url }) },
    })
    try {
      const body = JSON.stringify({ username: 'binary', password: 'correct horse battery staple' })
      const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body }
      expect((await fetch(`${node.url}/api/auth/register`, request)).status).toBe(201)
      const listed = Bun.spawnSync([binary, 'users', 'list', '--json'], { env: environment })
      expect(JSON.parse(listed.stdout.toString())).toMatchObject([{ username: 'binary' }])
      while (redis && !(await redis.command('CLIENT', 'LIST'))?.toString().includes('parley-subscribe')) {
        await Bun.sleep(10)
      }
    } finally {
      await node.stop()
    }
  },
)
