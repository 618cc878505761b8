import { describe, expect, test } from 'bun:test'
import { healthcheck } from '../../../src/commands/healthcheck.ts'
import { hostAndPort, localHost } from '../../../src/commands/service-address.ts'
import { ConfigError, readConfig } from '../../../src/config.ts'
import { spawnService, startChild } from '../support/child.ts'
import { temporaryFolder } from '../support/service.ts'

const hosts: [host: string, inUrl: string, reachedAt: string][] = [
  ['127.0.0.1', '127.0.0.1:80', '127.0.0.1'],
  ['localhost', 'localhost:80', 'localhost'],
  ['0.0.0.0', '0.0.0.0:80', '127.0.0.1'],
  ['::1', '[::1]:80', '::1'],
  ['::', '[::]:80', '::1'],
  ['0:0::0', '[0:0::0]:80', '::1'],
  ['::ffff:0.0.0.0', '[::ffff:0.0.0.0]:80', '127.0.0.1'],
  ['fe80::1%eth0', '[fe80::1%25eth0]:80', 'fe80::1%eth0'],
]
for (const [host, inUrl, reachedAt] of hosts) {
  test(`HOST=${host}`, () => {
    expect(readConfig({ HOST: host }, []).host).toBe(host)
    expect([hostAndPort(host, 80), localHost(host)]).toEqual([inUrl, reachedAt])
  })
}

test('an IPv6 address may be in brackets', () => {
  expect(readConfig({ HOST: '[::1]' }, []).host).toBe('::1')
})

describe('HOST refuses', () => {
  for (const host of [
    'http://localhost',
    'localhost:3000',
    '127.0.0.1:80',
    '[::1]:80',
    'a b',
    'a/b',
    '::1::',
  ]) {
    test(host, () => expect(() => readConfig({ HOST: host }, [])).toThrow(ConfigError))
  }
})

describe('a service is healthy, and its logged URL works, with', () => {
  for (const HOST of ['::1', '::', '0.0.0.0', 'localhost', '[::1]', '0:0:0:0:0:0:0:1']) {
    test(`HOST=${HOST}`, async () => {
      await using folder = await temporaryFolder()
      await using child = await startChild({ environment: { HOST, DATA_DIR: folder.path } })
      const url = new URL(child.url)
      const config = readConfig({ HOST, PORT: url.port }, [])
      expect(await healthcheck(config)).toBe(true)
      expect((await fetch(`${child.url}/livez`)).status).toBe(200)
      const second = spawnService({
        environment: { HOST, PORT: url.port, DATA_DIR: `${folder.path}/second` },
      })
      expect(await new Response(second.stderr).text()).toContain(
        `${hostAndPort(config.host, config.port)} is in use`,
      )
    })
  }
})

test('a port on which nothing listens is not healthy', async () => {
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() })
  const PORT = String(server.port)
  await server.stop(true)
  expect(await healthcheck(readConfig({ PORT }, []))).toBe(false)
})

test('an error response is not healthy', async () => {
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: () => new Response(null, { status: 503 }),
  })
  expect(await healthcheck(readConfig({ PORT: String(server.port) }, []))).toBe(false)
  await server.stop(true)
})

test('settings are understood in upper case and with spaces', () => {
  const config = readConfig(
    { LOG_LEVEL: 'WARN', RATE_LIMITS: 'Off', NODE_ENV: 'Development', RATE_LIMIT_LOGIN: ' 10 / 60 ' },
    ['login'],
  )
  expect([config.logLevel, config.rateLimits, config.development, config.rateLimitOverrides]).toEqual([
    'warn',
    false,
    true,
    { login: { quota: 10, window: 60 } },
  ])
})
