import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readFile } from 'node:fs/promises'
import type { StatefulSet } from 'kubernetes-types/apps/v1'
import type { Probe } from 'kubernetes-types/core/v1'
import { createClient } from '../../client/src/index.ts'
import { generateSecret } from '../../src/auth/secrets.ts'
import { readConfig } from '../../src/config.ts'
import { policyNames } from '../../src/contract/policies.ts'
import { findUnknownSettings } from '../../src/unknown-settings.ts'
import { interpolate, compose as nodesCompose } from '../cluster/compose.ts'
import { freePort } from '../fixtures/free-port.ts'
import { skipsPostgres, startPostgres } from '../fixtures/postgres-server.ts'
import { skipsRedis, startRedis } from '../fixtures/redis-server.ts'
import { connect } from '../unit/support/chat-client.ts'
import { canRunImages, createImage, type Image, imageEnvironment } from './support/image.ts'
import { deployFile } from './support/proxies.ts'

// The files for containers, as far as they concern Parley: the real image runs with the environment of each file, and
// the test does what Kubernetes and Compose do with it.

const password = 'correct horse battery staple'

const [, statefulSet] = Bun.YAML.parse(await deployFile('kubernetes.yaml')) as [unknown, StatefulSet]
const pod = statefulSet.spec?.template.spec
const [container] = pod?.containers ?? []

const compose = Bun.YAML.parse(await deployFile('compose.yaml')) as {
  services: { parley: { environment: Record<string, string>; stop_grace_period: string } }
}

const variablesOf = (variables: readonly { name: string; value?: string | undefined }[] = []) =>
  Object.fromEntries(variables.map(({ name, value = '' }) => [name, value]))

/** The environment of each container of Parley. */
const environments = [
  ['kubernetes.yaml', variablesOf(container?.env)],
  ['docs/deploy/compose.yaml', compose.services.parley.environment],
  ...Object.entries(nodesCompose.services)
    .filter(([name]) => name.startsWith('parley-'))
    .map(([name, { environment = {} }]) => {
      const values = { POSTGRES_PASSWORD: generateSecret(), JWT_SECRET: generateSecret() }
      const settings = Object.entries(environment).map(([key, text]) => [key, interpolate(text, values)])
      return [`${name} of compose.yaml`, Object.fromEntries(settings)]
    }),
] as [name: string, environment: Record<string, string>][]

test.each(environments)('the service knows and accepts the environment of %s', (_, environment) => {
  expect(findUnknownSettings(environment, policyNames)).toEqual([])
  const { port, host } = readConfig({ ...imageEnvironment, ...environment }, policyNames)
  expect([host, port]).toEqual(['0.0.0.0', 3000])
})

test('Prometheus scrapes the port on which the service of docs/deploy/compose.yaml serves metrics', async () => {
  const { scrape_configs } = Bun.YAML.parse(await deployFile('prometheus/prometheus.yml')) as {
    scrape_configs: { static_configs: { targets: string[] }[] }[]
  }
  const { METRICS_PORT } = compose.services.parley.environment
  expect(scrape_configs[0]?.static_configs[0]?.targets).toEqual([`parley:${METRICS_PORT}`])
})

/** Asks as the kubelet does. */
async function succeeds(probe: Probe | undefined, url: string): Promise<boolean> {
  const timeout = AbortSignal.timeout((probe?.timeoutSeconds ?? 1) * 1000)
  try {
    const { status } = await fetch(url + probe?.httpGet?.path, { signal: timeout })
    return status >= 200 && status < 400
  } catch {
    return false
  }
}

/** Repeats a probe as the kubelet does. Returns whether it succeeded before the failures were too many. */
async function succeedsInTime(probe: Probe | undefined, url: string): Promise<boolean> {
  for (let failures = 0; failures < (probe?.failureThreshold ?? 3); failures++) {
    if (await succeeds(probe, url)) return true
    await Bun.sleep((probe?.periodSeconds ?? 10) * 1000)
  }
  return false
}

async function logIn(url: string) {
  const client = createClient(url)
  await client.registerUser({ username: 'someone', password })
  await client.loginUser({ username: 'someone', password })
  return client
}

/** The memory of a process in bytes. */
async function memoryOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
}

const mebibytes = (quantity: unknown) => Number(/^(\d+)Mi$/.exec(String(quantity))?.[1]) * 1024 * 1024

describe.skipIf(!canRunImages())('the image', () => {
  let image: Image
  beforeAll(async () => {
    image = await createImage()
  })
  afterAll(() => image?.[Symbol.asyncDispose]())

  test('cannot write to its root, and says so if the data is not in the volume', async () => {
    await using refused = image.start(await image.createVolume(), { DATA_DIR: '/elsewhere' })
    const { exitCode, errors } = await refused.end()
    expect(exitCode).toBe(1)
    expect(errors).toStartWith('DATA_DIR: /elsewhere is on a read-only file system.')
  })

  test('passes the probes of Kubernetes, drains within the grace period, and continues with its volume', async () => {
    const volume = await image.createVolume()
    const ports = { PORT: String(freePort()), METRICS_PORT: String(freePort()) }
    const environment = { ...variablesOf(container?.env), ...ports }
    const url = `http://127.0.0.1:${environment.PORT}`
    await using running = image.start(volume, environment)
    expect(await succeedsInTime(container?.startupProbe, url)).toBe(true)
    expect(await succeedsInTime(container?.livenessProbe, url)).toBe(true)
    expect(await succeedsInTime(container?.readinessProbe, url)).toBe(true)
    const client = await logIn(url)
    const token = client.token as string
    const sockets = [await connect(url, token), await connect(url, token)] as const
    await client.sendMessage({ message: 'Hello' })
    expect(await memoryOf(running.pid)).toBeLessThan(mebibytes(container?.resources?.requests?.memory))

    const sleep = container?.lifecycle?.preStop?.sleep?.seconds ?? 0
    const stopping = running.stop((pod?.terminationGracePeriodSeconds ?? 0) - sleep)
    // The first connection ends at once, and the second one after a part of DRAIN_SECONDS.
    expect(await sockets[0].closed).toEqual({ code: 1012, reason: 'service-restart' })
    expect(await succeeds(container?.readinessProbe, url)).toBe(false)
    expect(await succeeds(container?.livenessProbe, url)).toBe(true)
    expect(await sockets[1].closed).toEqual({ code: 1012, reason: 'service-restart' })
    const { exitCode, log } = await stopping
    expect(exitCode).toBe(0)
    expect(log).toContain('"stopped"')

    // What docs/deploy/README.md says about commands while the service is stopped.
    const command = (...words: string[]) => image.run(volume, environment, words)
    expect(await command('backup', '/data/backup.sqlite')).toMatchObject({ exitCode: 0, errors: '' })
    expect((await command('users', 'remove', 'someone', '--erase-messages', '--yes')).exitCode).toBe(0)
    const restored = await command('restore', '/data/backup.sqlite')
    expect(restored.exitCode).toBe(0)
    expect(restored.errors).toContain('these removed accounts exist again: someone')

    await using next = image.start(volume, environment)
    expect(await succeedsInTime(container?.startupProbe, url)).toBe(true)
    const { messages } = await client.listMessages()
    expect(messages.map(({ message }) => message)).toEqual(['Hello'])
    expect((await next.stop(60)).exitCode).toBe(0)
  })

  test('is healthy with docs/deploy/compose.yaml, serves its metrics, and stops within the grace period', async () => {
    const volume = await image.createVolume()
    const { environment, stop_grace_period } = compose.services.parley
    const [port, metricsPort] = [freePort(), freePort()].map(String) as [string, string]
    const settings = { ...environment, PORT: port, METRICS_PORT: metricsPort }
    expect(await image.isHealthy(volume, settings)).toBe(false)
    await using running = image.start(volume, settings)
    while (!(await image.isHealthy(volume, settings))) await Bun.sleep(50)
    await logIn(`http://127.0.0.1:${port}`)
    const scraped = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
    expect(scraped).toContain('parley_logins_total{outcome="succeeded"} 1')
    expect((await running.stop(Number.parseInt(stop_grace_period, 10))).exitCode).toBe(0)
    expect(await image.isHealthy(volume, settings)).toBe(false)
  })

  test.skipIf(skipsPostgres || skipsRedis)(
    'is healthy with compose.yaml, and stops within the grace period',
    async () => {
      await using postgres = await startPostgres()
      await using redis = await startRedis()
      const volume = await image.createVolume()
      const { environment = {}, stop_grace_period = '' } = nodesCompose.services['parley-1'] ?? {}
      const settings = {
        ...environment,
        DATABASE_URL: postgres.url(await postgres.createDatabase()),
        REDIS_URL: redis.url,
        JWT_SECRET: generateSecret(),
        PORT: String(freePort()),
      }
      await using running = image.start(volume, settings)
      while (!(await image.isHealthy(volume, settings))) await Bun.sleep(50)
      await logIn(`http://127.0.0.1:${settings.PORT}`)
      expect((await running.stop(Number.parseInt(stop_grace_period, 10))).exitCode).toBe(0)
    },
  )
})
