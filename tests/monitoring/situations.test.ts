import { afterAll, expect, test } from 'bun:test'
import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { generateSecret } from '../../src/auth/secrets.ts'
import { startPostgres } from '../fixtures/postgres-server.ts'
import { startTcpProxy } from '../fixtures/tcp-proxy.ts'
import { connect } from '../unit/support/chat-client.ts'
import { startChild } from '../unit/support/child.ts'
import { startClockChild } from '../unit/support/clock-child.ts'
import { bearer, temporaryFolder } from '../unit/support/service.ts'
import { limitFileSize, mountTmpfs } from '../unit/support/small-disk.ts'
import { type Prometheus, startPrometheus } from './support/prometheus.ts'

// Each test provokes a situation on the real service, while a real Prometheus evaluates the real rules. An operator
// sees in the first panel which alerts are firing. They have to tell which of the situations it is.

const monitored = { METRICS_PORT: '0', RATE_LIMITS: 'off', LOG_LEVEL: 'info', DRAIN_SECONDS: '0' }
const password = 'correct horse battery staple'

/** What the first panel showed in each situation. */
const observed = new Map<string, readonly string[]>()

const post = (url: string, path: string, body: object, headers: Record<string, string> = {}) =>
  fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })

async function createToken(url: string, username = 'someone'): Promise<string> {
  await post(url, '/api/auth/register', { username, password })
  const response = await post(url, '/api/auth/login', { username, password })
  return ((await response.json()) as { token: string }).token
}

/** Repeats `work` in several loops until it is disposed of. Failures of requests are part of the situations. */
function repeat(loops: number, work: () => Promise<unknown>) {
  let stopped = false
  const running = Array.from({ length: loops }, async () => {
    while (!stopped) await work().catch(() => Bun.sleep(10))
  })
  return {
    async [Symbol.asyncDispose]() {
      stopped = true
      await Promise.all(running)
    },
  }
}

const sendRepeatedly = (url: string, token: string, loops = 1) =>
  repeat(loops, async () => {
    await (await post(url, '/api/chats/send', { message: 'Hello' }, bearer(token))).text()
    if (loops === 1) await Bun.sleep(20)
  })

/** Waits until Prometheus has scraped the service and no alert is firing. */
async function waitUntilQuiet(prometheus: Prometheus): Promise<void> {
  for (;;) {
    const targets = await prometheus.query('up')
    if (targets.length > 0 && targets.every(({ value }) => value === 1)) break
    await Bun.sleep(100)
  }
  expect(await prometheus.firing()).toEqual([])
}

/** Waits until these alerts are firing, and records everything that is firing then. */
async function waitForAlerts(prometheus: Prometheus, situation: string, alerts: readonly string[]) {
  for (;;) {
    const firing = await prometheus.firing()
    if (alerts.every((alert) => firing.includes(alert))) {
      observed.set(situation, firing)
      return firing
    }
    await Bun.sleep(100)
  }
}

test('a full disk', async () => {
  await using folder = await temporaryFolder()
  const mounted = await mountTmpfs(folder.path, 96 * 1024 * 1024)
  await using disk = mounted ?? limitFileSize(folder.path)
  await using service = await startChild({
    launcher: disk.launcher,
    environment: { ...monitored, DATA_DIR: disk.dataDir },
  })
  const token = await createToken(service.url)
  await using prometheus = await startPrometheus([service.metricsUrl])
  await waitUntilQuiet(prometheus)
  await disk.fill(service.pid)
  await using _ = sendRepeatedly(service.url, token)
  // A limit on file sizes, which replaces the disk where mounting is not permitted, leaves the disk free.
  const alerts = mounted ? ['ParleyCommitsFail', 'ParleyDiskFull'] : ['ParleyCommitsFail']
  expect(await waitForAlerts(prometheus, 'full disk', alerts)).toEqual(alerts)
})

test('an unavailable storage', async () => {
  await using folder = await temporaryFolder()
  const dataDir = join(folder.path, 'data')
  await using service = await startChild({ environment: { ...monitored, DATA_DIR: dataDir } })
  const token = await createToken(service.url)
  await using prometheus = await startPrometheus([service.metricsUrl])
  await waitUntilQuiet(prometheus)
  await rename(dataDir, join(folder.path, 'elsewhere'))
  await mkdir(dataDir)
  await using _ = sendRepeatedly(service.url, token)
  const alerts = ['ParleyCommitsFail', 'ParleyStorageUnavailable']
  expect(await waitForAlerts(prometheus, 'unavailable storage', alerts)).toEqual(alerts)
})

test('a flood of logins', async () => {
  await using folder = await temporaryFolder()
  await using service = await startChild({ environment: { ...monitored, DATA_DIR: folder.path } })
  await using prometheus = await startPrometheus([service.metricsUrl])
  await waitUntilQuiet(prometheus)
  let number = 0
  await using _ = repeat(70, async () => {
    const username = `someone${number++}`
    await (await post(service.url, '/api/auth/login', { username, password: 'a guess' })).text()
  })
  const firing = await waitForAlerts(prometheus, 'flood of logins', ['ParleyLoginFlood'])
  expect(firing.filter((alert) => alert !== 'ParleyFailedLogins')).toEqual(['ParleyLoginFlood'])
})

test('a slow disk', async () => {
  await using folder = await temporaryFolder()
  // Each flush to the disk takes 0.2 seconds longer.
  const inject = ['-e', 'inject=fsync,fdatasync:delay_enter=200000']
  await using service = await startChild({
    launcher: ['strace', '-D', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=fsync,fdatasync', ...inject],
    environment: { ...monitored, DATA_DIR: folder.path },
  })
  const token = await createToken(service.url)
  await using prometheus = await startPrometheus([service.metricsUrl])
  await waitUntilQuiet(prometheus)
  await using _ = sendRepeatedly(service.url, token)
  const alerts = ['ParleySlowCommits']
  expect(await waitForAlerts(prometheus, 'slow disk', alerts)).toEqual(alerts)
})

test('a lagging node', async () => {
  await using postgres = await startPostgres()
  await using proxy = await startTcpProxy(postgres.port)
  const url = postgres.url(await postgres.createDatabase())
  const slowUrl = url.replace(`:${postgres.port}/`, `:${proxy.port}/`)
  const shared = { ...monitored, JWT_SECRET: generateSecret() }
  await using node = await startChild({ environment: { ...shared, DATABASE_URL: url } })
  await using lagging = await startChild({ environment: { ...shared, DATABASE_URL: slowUrl } })
  const token = await createToken(node.url)
  await using prometheus = await startPrometheus([node.metricsUrl, lagging.metricsUrl])
  await waitUntilQuiet(prometheus)
  proxy.delayResponses(300)
  await using _ = sendRepeatedly(node.url, token, 60)
  const alerts = ['ParleyNodeLags']
  expect(await waitForAlerts(prometheus, 'lagging node', alerts)).toEqual(alerts)
  const lags = await prometheus.query('ALERTS{alertstate="firing"}')
  expect(lags.map(({ labels }) => labels.instance)).toEqual([new URL(lagging.metricsUrl).host])
})

test('sockets at their limit', async () => {
  await using folder = await temporaryFolder()
  const limits = { MAX_SOCKETS: '8', MAX_SOCKETS_PER_USER: '8' }
  await using service = await startChild({ environment: { ...monitored, ...limits, DATA_DIR: folder.path } })
  const token = await createToken(service.url)
  await using prometheus = await startPrometheus([service.metricsUrl])
  await waitUntilQuiet(prometheus)
  const clients = await Promise.all(Array.from({ length: 8 }, () => connect(service.url, token)))
  const alerts = ['ParleySocketsAtLimit']
  expect(await waitForAlerts(prometheus, 'sockets at their limit', alerts)).toEqual(alerts)
  for (const client of clients) await client.close()
})

test('a clock jump', async () => {
  await using service = await startClockChild(monitored)
  await using prometheus = await startPrometheus([service.metricsUrl])
  await waitUntilQuiet(prometheus)
  await service.setClock(-3_600_000)
  const alerts = ['ParleyClockJumped']
  expect(await waitForAlerts(prometheus, 'clock jump', alerts)).toEqual(alerts)
})

afterAll(() => {
  // No two situations look the same in the first panel.
  const shown = [...observed.values()].map((alerts) => alerts.join(' '))
  expect(new Set(shown).size).toBe(shown.length)
})
