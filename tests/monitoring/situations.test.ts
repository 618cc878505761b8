import { expect, test } from 'bun:test'
import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { generateSecret } from '../../src/auth/secrets.ts'
import { withFlushes } from '../fixtures/flushes.ts'
import { startPostgres } from '../fixtures/postgres-server.ts'
import { startTcpProxy } from '../fixtures/tcp-proxy.ts'
import { connect } from '../unit/support/chat-client.ts'
import { startChild } from '../unit/support/child.ts'
import { startClockChild } from '../unit/support/clock-child.ts'
import { bearer, temporaryFolder } from '../unit/support/service.ts'
import { limitFileSize, mountTmpfs } from '../unit/support/small-disk.ts'
import { situations } from './support/files.ts'
import { type Prometheus, startPrometheus } from './support/prometheus.ts'

// Each test provokes a situation of the runbook on the real service, while a real Prometheus evaluates the real rules
// and the queries of the dashboard. The alerts that fire and the panels that turn red have to be those that the runbook
// lists, so that an operator can tell from the dashboard which of the situations it is.

const monitored = { METRICS_PORT: '0', RATE_LIMITS: 'off', LOG_LEVEL: 'info', DRAIN_SECONDS: '0' }
const password = 'correct horse battery staple'

/** The situations of the runbook that are provoked here. */
const provoked: string[] = []

function situation(name: string, provoke: () => Promise<void>): void {
  provoked.push(name)
  test(name, provoke)
}

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
    await Bun.sleep(20)
  })

/**
 * Reads the red panels until they are the expected ones: a value may cross its threshold for a moment.
 *
 * @param applies whether a panel is examined
 */
async function expectRed(
  prometheus: Prometheus,
  expected: readonly string[],
  applies: (panel: string) => boolean = () => true,
): Promise<void> {
  const examine = async () => (await prometheus.red()).filter(applies)
  let red = await examine()
  for (let polls = 0; polls < 100 && red.join() !== expected.join(); polls++) {
    await Bun.sleep(100)
    red = await examine()
  }
  expect(red).toEqual([...expected])
}

/** Waits until Prometheus has scraped the service. No alert is firing, and no panel is red. */
async function waitUntilQuiet(prometheus: Prometheus): Promise<void> {
  for (;;) {
    const targets = await prometheus.query('up')
    if (targets.length > 0 && targets.every(({ value }) => value === 1)) break
    await Bun.sleep(100)
  }
  expect(await prometheus.firing()).toEqual([])
  await expectRed(prometheus, [])
}

/**
 * Waits until the alerts of the situation are firing. No others do, and the panels of the situation are red.
 *
 * @param ignored alerts and panels that may react as well, and what does not apply on this machine
 */
async function expectSituation(prometheus: Prometheus, name: string, ignored: readonly string[] = []) {
  const { alerts = [], red = [] } = situations.get(name) ?? {}
  const applies = (each: string) => !ignored.includes(each)
  const expected = alerts.filter(applies)
  expect(expected).not.toBeEmpty()
  for (;;) {
    const firing = (await prometheus.firing()).filter(applies)
    if (expected.every((alert) => firing.includes(alert))) {
      expect(firing).toEqual(expected)
      break
    }
    await Bun.sleep(100)
  }
  await expectRed(prometheus, red.filter(applies), applies)
}

situation('The disk is full', async () => {
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
  const ignored = mounted ? [] : ['ParleyDiskFull', 'Free space now']
  await expectSituation(prometheus, 'The disk is full', ignored)
})

situation('The storage is unavailable', async () => {
  await using folder = await temporaryFolder()
  const dataDir = join(folder.path, 'data')
  await using service = await startChild({ environment: { ...monitored, DATA_DIR: dataDir } })
  const token = await createToken(service.url)
  await using prometheus = await startPrometheus([service.metricsUrl])
  await waitUntilQuiet(prometheus)
  await rename(dataDir, join(folder.path, 'elsewhere'))
  await mkdir(dataDir)
  await using _ = sendRepeatedly(service.url, token)
  await expectSituation(prometheus, 'The storage is unavailable')
})

situation('There is a flood of logins', async () => {
  await using folder = await temporaryFolder()
  await using service = await startChild({ environment: { ...monitored, DATA_DIR: folder.path } })
  await using prometheus = await startPrometheus([service.metricsUrl])
  await waitUntilQuiet(prometheus)
  let number = 0
  await using _ = repeat(70, async () => {
    const username = `someone${number++}`
    await (await post(service.url, '/api/auth/login', { username, password: 'a guess' })).text()
  })
  await expectSituation(prometheus, 'There is a flood of logins', ['ParleyFailedLogins'])
})

situation('The disk is slow', async () => {
  await using folder = await temporaryFolder()
  // Each flush to the disk takes 0.2 seconds longer.
  await using service = await startChild({
    launcher: withFlushes('delay_enter=200000', 'fsync,fdatasync'),
    environment: { ...monitored, DATA_DIR: folder.path },
  })
  const token = await createToken(service.url)
  await using prometheus = await startPrometheus([service.metricsUrl])
  await waitUntilQuiet(prometheus)
  await using _ = sendRepeatedly(service.url, token)
  await expectSituation(prometheus, 'The disk is slow')
})

situation('A node lags', async () => {
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
  await using _ = sendRepeatedly(node.url, token, 80)
  // On a busy machine, the node may lag by more than the two seconds after which it is not ready.
  await expectSituation(prometheus, 'A node lags', ['ParleyStorageUnavailable', 'Ready', 'Readiness'])
  const fired = await prometheus.query('count_over_time(ALERTS{alertstate="firing"}[5m])')
  const instances = new Set(fired.map(({ labels }) => labels.instance))
  expect([...instances]).toEqual([new URL(lagging.metricsUrl).host])
})

situation('The sockets are at their limit', async () => {
  await using folder = await temporaryFolder()
  const limits = { MAX_SOCKETS: '8', MAX_SOCKETS_PER_USER: '8' }
  await using service = await startChild({ environment: { ...monitored, ...limits, DATA_DIR: folder.path } })
  const token = await createToken(service.url)
  await using prometheus = await startPrometheus([service.metricsUrl])
  await waitUntilQuiet(prometheus)
  const clients = await Promise.all(Array.from({ length: 8 }, () => connect(service.url, token)))
  await expectSituation(prometheus, 'The sockets are at their limit')
  for (const client of clients) await client.close()
})

situation('The clock has jumped', async () => {
  await using service = await startClockChild(monitored)
  await using prometheus = await startPrometheus([service.metricsUrl])
  await waitUntilQuiet(prometheus)
  await service.setClock(-3_600_000)
  await expectSituation(prometheus, 'The clock has jumped')
})

test('every panel of the dashboard has data, except for those that list what is wrong', async () => {
  await using folder = await temporaryFolder()
  await using postgres = await startPostgres()
  const shared = {
    JWT_SECRET: generateSecret(),
    DATABASE_URL: postgres.url(await postgres.createDatabase()),
  }
  await using service = await startChild({ environment: { ...monitored, DATA_DIR: folder.path } })
  await using node = await startChild({ environment: { ...monitored, ...shared } })
  await using prometheus = await startPrometheus([service.metricsUrl, node.metricsUrl])
  await using _first = sendRepeatedly(service.url, await createToken(service.url))
  await using _second = sendRepeatedly(node.url, await createToken(node.url))
  const problems = ['Firing alerts', 'Readiness']
  for (let empty: string[] = []; empty.join() !== problems.join(); empty = await prometheus.empty()) {
    await Bun.sleep(100)
  }
})

test('each situation of the runbook is provoked, and has its own red panels', () => {
  expect([...situations.keys()].sort()).toEqual(provoked.sort())
  const shown = [...situations.values()].map(({ red }) => red.join())
  expect(new Set(shown).size).toBe(7)
})
