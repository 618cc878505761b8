import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { join } from 'node:path'
import { generateSecret } from '../../src/auth/secrets.ts'
import { policyNames } from '../../src/contract/policies.ts'
import { findUnknownSettings } from '../../src/unknown-settings.ts'
import { findPostgres, skipsPostgres, startPostgres } from '../fixtures/postgres-server.ts'
import { skipsRedis, startRedis } from '../fixtures/redis-server.ts'
import { startChild } from '../unit/support/child.ts'
import { bearer } from '../unit/support/service.ts'
import { skipsCaddy, startCaddy } from './caddy.ts'
import { compose, composeFile, composeText, interpolate, nodeEnvironment } from './compose.ts'

setDefaultTimeout(180_000)

const project = new URL('../..', import.meta.url).pathname

describe('compose.yaml', () => {
  test('is valid, and the linter finds nothing', async () => {
    const child = Bun.spawn(
      [process.execPath, 'x', 'dclint', '--max-warnings', '0', '--color', 'false', composeFile],
      { cwd: project, stdout: 'pipe', stderr: 'pipe' },
    )
    const [output, errors] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ])
    expect(output + errors).not.toContain('warning')
    expect(await child.exited).toBe(0)
  })

  test('publishes only the ports of the proxy, and keeps the storage in networks without access to others', () => {
    const published = Object.entries(compose.services).filter(([, { ports }]) => ports !== undefined)
    expect(published.map(([name]) => name)).toEqual(['caddy'])
    expect(compose.services.caddy?.networks).not.toContain('storage')
    for (const name of ['postgres', 'redis']) expect(compose.services[name]?.networks).toEqual(['storage'])
    expect(compose.networks.storage?.internal).toBe(true)
  })

  test('has no default for a secret: without a value, it does not start', () => {
    const variables = [...composeText.matchAll(/\$\{?(\w+)[^}\s]*/g)].map(([, name]) => name)
    expect(new Set(variables)).toEqual(new Set(['POSTGRES_PASSWORD', 'JWT_SECRET', 'SITE']))
    for (const [written] of composeText.matchAll(/\$\{?\w+[^}]*\}?/g)) {
      expect(() => interpolate(written, {})).toThrow('Set ')
    }
    expect(() => interpolate('no variable', {})).not.toThrow()
  })

  test('starts three equal nodes with settings that exist, which the proxy knows', () => {
    const nodes = Object.entries(compose.services).filter(([name]) => name.startsWith('parley-'))
    expect(nodes.map(([name]) => `${name}:3000`).join(' ')).toBe(
      compose.services.caddy?.environment?.NODES ?? '',
    )
    const [[, first] = [], ...others] = nodes
    expect(others).toHaveLength(2)
    for (const [, other] of others) expect(other).toEqual(first as typeof other)
    expect(findUnknownSettings(first?.environment ?? {}, policyNames)).toEqual([])
  })

  test('uses a recent PostgreSQL with a volume and a check of its health', () => {
    const { image = '', volumes, healthcheck } = compose.services.postgres ?? {}
    expect(Number(/^postgres:(\d+)/.exec(image)?.[1])).toBeGreaterThanOrEqual(17)
    expect(volumes).toContain('postgres:/var/lib/postgresql/data')
    expect(healthcheck).toBeDefined()
  })
})

describe.skipIf(skipsPostgres || skipsCaddy || skipsRedis)('the services of compose.yaml', () => {
  test('work together: a message sent on one node arrives on another, over TLS', async () => {
    await using postgres = await startPostgres(['max_connections=200'])
    await postgres.query('postgres', "create role parley login password 'password'")
    await postgres.query('postgres', "create database parley owner parley encoding 'UTF8' template template0")
    const [, ...isReady] = compose.services.postgres?.healthcheck
      ? (compose.services.postgres.healthcheck as { test: string[] }).test
      : []
    const [program = '', ...arguments_] = isReady
    const health = Bun.spawn([
      Bun.which(program) ?? join(findPostgres() as string, program),
      ...arguments_,
      `--port=${postgres.port}`,
    ])
    expect(await health.exited).toBe(0)

    // Redis accepts the arguments that compose.yaml gives to Valkey.
    await using redis = await startRedis(compose.services.redis?.command?.slice(1))
    expect(await redis.command('CONFIG', 'GET', 'maxmemory-policy')).toMatchObject({
      'maxmemory-policy': 'noeviction',
    })
    expect(await redis.command('CONFIG', 'GET', 'save')).toMatchObject({ save: '' })
    expect(await redis.command('CONFIG', 'GET', 'appendonly')).toMatchObject({ appendonly: 'no' })

    const environment = nodeEnvironment({
      databaseUrl: postgres.url('parley').replace('postgres@', 'parley:password@'),
      redisUrl: redis.url,
      jwtSecret: generateSecret(),
    })
    await using first = await startChild({ environment })
    await using second = await startChild({ environment })
    await using third = await startChild({ environment })
    const nodes = [first, second, third].map(({ url }) => new URL(url).host)
    await using caddy = await startCaddy({ nodes, scheme: 'https' })
    const tls = { ca: await caddy.authority() }
    const request = (path: string, body: object, headers = {}) =>
      fetch(caddy.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-forwarded-for': '203.0.113.7', ...headers },
        body: JSON.stringify(body),
        tls,
      })
    const account = { username: 'someone', password: 'correct horse battery staple' }
    expect((await request('/api/auth/register', account)).status).toBe(201)
    const { token } = (await (await request('/api/auth/login', account)).json()) as { token: string }

    const frames: string[] = []
    const caughtUp = Promise.withResolvers<void>()
    const received = Promise.withResolvers<void>()
    const socket = new WebSocket(caddy.url.replace('https', 'wss'), {
      headers: bearer(token),
      tls,
    } as never)
    socket.onmessage = ({ data }) => {
      frames.push(JSON.parse(String(data)).message)
      caughtUp.resolve()
      if (frames.includes('to the other nodes')) received.resolve()
    }
    socket.onopen = () => caughtUp.resolve()
    socket.onclose = ({ code }) => received.reject(new Error(`closed with ${code}`))
    await caughtUp.promise
    for (let i = 0; i < 3; i++) {
      expect((await request('/api/chats/send', { message: `${i}` }, bearer(token))).status).toBe(200)
    }
    await request('/api/chats/send', { message: 'to the other nodes' }, bearer(token))
    await received.promise
    socket.onclose = null
    socket.terminate()
    // A request may be lost with the node that had it. Repeated with its key, it reaches another one.
    await first[Symbol.asyncDispose]()
    for (let i = 0; i < 6; i++) {
      const send = () =>
        request('/api/chats/send', { message: `${i}` }, { ...bearer(token), 'idempotency-key': `"key-${i}"` })
      const { status } = await send()
      if (status !== 200) expect((await send()).status).toBe(200)
    }
    // Caddy replaces the header of a client, and the nodes trust Caddy.
    const log = (await second.stop()) + (await third.stop())
    expect(log).toMatch(/"client":"(127\.0\.0\.1|::)/)
    expect(log).not.toContain('203.0.113.7')
    expect(log).not.toContain('X-Forwarded-For ignored')
  })
})
