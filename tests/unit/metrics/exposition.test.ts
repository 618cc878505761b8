import { expect, test } from 'bun:test'
import { freePort } from '../../fixtures/free-port.ts'
import { connect } from '../support/chat-client.ts'
import { startChild } from '../support/child.ts'
import { sendRaw } from '../support/raw-http.ts'
import { scrape, scrapeUntil } from '../support/scrape.ts'
import { bearer, type Service, startService, temporaryFolder } from '../support/service.ts'

const on = { METRICS_PORT: '0' }

/** Some traffic, so that all kinds of metrics have values. */
async function makeTraffic(service: Service): Promise<void> {
  const { token } = await service.account('someone')
  await service.get('/api/users/profile', token)
  await service.post('/api/chats/send', { message: 'Hello' }, bearer(token))
  const client = await connect(service.url, token)
  client.send('not JSON')
  await client.next()
  await client.close()
  await scrapeUntil(service, ({ value }) => value('parley_sockets') === 0)
}

test('promtool accepts the metrics', async () => {
  await using service = await startService(on)
  await makeTraffic(service)
  const { text } = await scrape(service)
  const { exitCode, stdout, stderr } = Bun.spawnSync(['promtool', 'check', 'metrics'], {
    stdin: Buffer.from(text),
  })
  expect(`${stdout}${stderr}`).toBe('')
  expect(exitCode).toBe(0)
})

test('clients cannot add series, whatever they send', async () => {
  await using service = await startService(on)
  const { token } = await service.account('someone')
  async function attack(round: number): Promise<readonly string[]> {
    await sendRaw(
      service.url,
      `M${round}X /api/users/profile HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    )
    await service.get(`/path-${round}`)
    await service.get(`/problems/${round}`)
    await service.get(`/api/chats/messages/${round}`, token)
    await service.get('/api/users/profile', `token.${round}.x`)
    await service.get('/api/users/profile', token, { 'api-version': `v${round}`, traceparent: `${round}` })
    const socket = new WebSocket(service.url.replace('http', 'ws'), { headers: bearer(token) } as never)
    await new Promise((resolve) => {
      socket.onopen = resolve
    })
    socket.send(JSON.stringify({ event: `event-${round}` }))
    socket.close(4000 + round, `reason ${round}`)
    return (await scrapeUntil(service, ({ value }) => value('parley_sockets') === 0)).series
  }
  const first = await attack(1)
  for (let round = 2; round < 20; round++) expect(await attack(round)).toEqual([...first])
  expect(first).toContain('parley_sockets_closed_total{code="other"}')
})

test('the public port does not serve metrics, and the port of the metrics serves nothing else', async () => {
  await using service = await startService(on)
  expect((await service.get('/metrics')).status).toBe(404)
  const origin = new URL(service.metricsUrl).origin
  expect((await fetch(`${origin}/`)).status).toBe(404)
  expect((await fetch(`${origin}/api/users/profile`)).status).toBe(404)
  expect((await fetch(service.metricsUrl, { method: 'POST' })).status).toBe(405)
  const response = await fetch(service.metricsUrl)
  expect(response.headers.get('content-type')).toStartWith('text/plain; version=0.0.4')
})

test('without METRICS_PORT, neither prom-client nor what counts is loaded', async () => {
  await using folder = await temporaryFolder()
  const preload = 'tests/fixtures/report-modules.ts'
  async function loaded(environment: Record<string, string>): Promise<string> {
    await using child = await startChild({ preload, environment: { DATA_DIR: folder.path, ...environment } })
    child.signal('SIGUSR2')
    const line = await child.waitFor(/^modules of metrics/)
    await child.stop()
    return line
  }
  expect(await loaded({})).toBe('modules of metrics: metrics/open-metrics')
  expect(await loaded(on)).toContain(' metrics/metrics.prometheus metrics/open-metrics ')
  expect(await loaded(on)).toEndWith(' prom-client')
})

test('the start fails with the name of the setting if the port is in use', async () => {
  await using taken = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response() })
  const start = startService({ METRICS_PORT: String(taken.port) })
  await expect(start).rejects.toThrow(/^METRICS_PORT: .* is in use/)
})

test('a start that fails leaves no port in use', async () => {
  await using taken = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response() })
  const metricsPort = freePort()
  const start = startService({ METRICS_PORT: String(metricsPort), PORT: String(taken.port) })
  await expect(start).rejects.toThrow(/^PORT: .* is in use/)
  await using service = await startService({ METRICS_PORT: String(metricsPort) })
  expect((await fetch(service.metricsUrl)).status).toBe(200)
})
