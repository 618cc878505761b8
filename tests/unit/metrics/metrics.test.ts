import { expect, test } from 'bun:test'
import { connect as connectTcp } from 'node:net'
import { createAsynchronousPorts } from '../support/asynchronous-ports.ts'
import { connect } from '../support/chat-client.ts'
import { startClockChild } from '../support/clock-child.ts'
import { handshakeHeaders, requestHead } from '../support/raw-http.ts'
import { scrape, scrapeUntil } from '../support/scrape.ts'
import { bearer, startService } from '../support/service.ts'

const on = { METRICS_PORT: '0' }
const profile = '/api/users/profile'
const password = 'correct horse battery staple'

const requests = (operation: string, status: number, problem = 'none') =>
  `parley_http_requests_total{operation="${operation}",status="${status}",problem="${problem}"}`

test('requests are counted by operation, status and problem, with their durations', async () => {
  await using service = await startService(on)
  const { token } = await service.account('someone')
  await service.get(profile, token)
  await fetch(service.url + profile, { method: 'HEAD', headers: bearer(token) })
  await service.get(profile, 'not.a.token')
  await service.post('/api/chats/send', { message: 'Hello' }, bearer(token))
  await service.post('/api/chats/send', {}, bearer(token))
  await service.get('/no/such/path')
  await service.get('/')
  await service.get('/problems')
  await service.get('/readyz')
  const { value } = await scrape(service)
  expect(value(requests('getProfile', 200))).toBe(2)
  expect(value(requests('getProfile', 401, 'invalid-token'))).toBe(1)
  expect(value(requests('sendMessage', 200))).toBe(1)
  expect(value(requests('sendMessage', 422, 'validation-failed'))).toBe(1)
  expect(value(requests('unmatched', 404, 'not-found'))).toBe(1)
  expect(value(requests('page', 200))).toBe(2)
  expect(value(requests('health', 200))).toBe(1)
  expect(value('parley_http_request_duration_seconds_count{operation="getProfile"}')).toBe(3)
  expect(value('parley_http_request_duration_seconds_bucket{operation="getProfile",le="+Inf"}')).toBe(3)
  expect(value('parley_http_request_duration_seconds_sum{operation="getProfile"}')).toBeGreaterThan(0)
})

test('logins are counted by outcome, and the log level does not matter', async () => {
  await using service = await startService({ ...on, LOG_LEVEL: 'silent' })
  const credentials = { username: 'someone', password }
  await service.post('/api/auth/register', credentials)
  await service.post('/api/auth/login', credentials)
  await service.post('/api/auth/login', { ...credentials, password: 'another password' })
  await service.post('/api/auth/login', { username: 'nobody', password })
  const { value } = await scrape(service)
  expect(value('parley_logins_total{outcome="succeeded"}')).toBe(1)
  expect(value('parley_logins_total{outcome="failed"}')).toBe(2)
  expect(value('parley_password_hashing_queue')).toBe(0)
  expect(value('parley_password_hashing_queue_limit')).toBe(64)
})

test('a full hashing queue is visible while it is full', async () => {
  await using service = await startService(on)
  const attempts = Array.from({ length: 70 }, (_, index) =>
    service.post('/api/auth/login', { username: `someone${index}`, password }),
  )
  const busy = await scrapeUntil(service, ({ value }) => (value('parley_password_hashing_queue') ?? 0) > 0)
  expect(busy.value('parley_password_hashing_running')).toBeGreaterThan(0)
  const statuses = (await Promise.all(attempts)).map(({ status }) => status)
  const { value } = await scrape(service)
  const refused = statuses.filter((status) => status === 503).length
  expect(refused).toBeGreaterThan(0)
  expect(value('parley_logins_total{outcome="overloaded"}')).toBe(refused)
  expect(value('parley_password_hashing_queue')).toBe(0)
})

test('sockets, deliveries, commits and replays are counted', async () => {
  await using service = await startService(on)
  const { token } = await service.account('someone')
  const [first, second] = [await connect(service.url, token), await connect(service.url, token)]
  first.send({ message: 'Hello', idempotencyKey: 'key' })
  const { id } = await first.next()
  await second.next()
  // Repeated: neither stored nor delivered again.
  first.send({ message: 'Hello', idempotencyKey: 'key' })
  await first.next()
  await service.post('/api/chats/send', { message: 'Second' }, bearer(token))
  const resumed = await connect(service.url, token, { path: `/?after=${String(id)}` })
  while ((await resumed.next()).event !== 'caught-up');
  const open = await scrape(service)
  expect(open.value('parley_sockets')).toBe(3)
  expect(open.value('parley_sockets_opened_total')).toBe(3)
  expect(open.value('parley_messages_appended_total')).toBe(2)
  expect(open.value('parley_commit_batch_messages_sum')).toBe(3)
  expect(open.value('parley_commit_duration_seconds_count')).toBe(3)
  // Both messages to two sockets, and the second one in a replay.
  expect(open.value('parley_message_deliveries_total')).toBe(5)
  expect(open.value('parley_replay_pages_total')).toBe(1)
  expect(open.value('parley_socket_backlog_bytes')).toBe(0)
  expect(open.value(requests('connect', 101))).toBe(3)

  first.send('not JSON')
  await first.next()
  second.send(new Uint8Array([1]))
  await second.closed
  await resumed.close()
  const closed = await scrapeUntil(service, ({ value }) => value('parley_sockets') === 1)
  expect(closed.value('parley_sockets_closed_total{code="1003"}')).toBe(1)
  expect(closed.value('parley_frame_problems_total{problem="malformed-json"}')).toBe(1)
  expect(closed.value('parley_sockets_cut_off_total')).toBe(0)

  first.send({ message: 'Third' })
  while ((await first.next()).message !== 'Third');
  expect((await scrape(service)).value('parley_message_deliveries_total')).toBe(6)
})

/** Opens a WebSocket that never sends a frame, and reads only if the test does. */
function openTcp(url: string, token: string) {
  const { hostname, port } = new URL(url)
  const socket = connectTcp(Number(port), hostname)
  socket.write(requestHead('GET', '/', { ...handshakeHeaders, ...bearer(token) }))
  return socket
}

/** Sends long messages at once. */
const sendMany = (
  service: { post(path: string, body: object, headers: Record<string, string>): Promise<Response> },
  token: string,
  count = 5,
) =>
  Promise.all(
    Array.from({ length: count }, () =>
      service.post('/api/chats/send', { message: 'x'.repeat(4000) }, bearer(token)),
    ),
  )

/** The names of the reasons in the log lines of closed connections. */
const closeNames = (lines: readonly string[]) =>
  lines
    .map((line) => JSON.parse(line))
    .filter(({ msg }) => msg === 'connection closed')
    .map(({ closeName }) => closeName)

test('a client that reads too slowly is counted as cut off, and one that disconnects is not', async () => {
  await using service = await startService({ ...on, SOCKET_BUFFER_BYTES: '65536' })
  const { token } = await service.account('someone')
  const open = () => openTcp(service.url, token)
  const gone = open()
  await scrapeUntil(service, ({ value }) => value('parley_sockets') === 1)
  gone.destroy()
  await scrapeUntil(service, ({ value }) => value('parley_sockets') === 0)
  const slow = open().pause()
  await scrapeUntil(service, ({ value }) => value('parley_sockets') === 1)
  let scraped = await scrape(service)
  let backlog = 0
  while (scraped.value('parley_sockets') === 1) {
    await sendMany(service, token)
    scraped = await scrape(service)
    backlog = Math.max(backlog, scraped.value('parley_socket_backlog_bytes') ?? 0)
  }
  slow.destroy()
  expect(backlog).toBeGreaterThan(0)
  expect(scraped.value('parley_sockets_cut_off_total')).toBe(1)
  expect(scraped.value('parley_sockets_silent_total')).toBe(0)
  expect(scraped.value('parley_sockets_closed_total{code="1006"}')).toBe(2)
  expect(closeNames(service.lines)).toEqual([undefined, 'slow-reader'])
})

// A monotonic clock that runs thirty times as fast turns the minute of silence into two seconds.
test('a client that does not respond is counted as silent, also if bytes wait for it', async () => {
  await using service = await startClockChild({
    ...on,
    RATE_LIMITS: 'off',
    SOCKET_BUFFER_BYTES: '1073741824',
  })
  const token = await service.account('someone')
  const silent = openTcp(service.url, token).pause()
  await scrapeUntil(service, ({ value }) => value('parley_sockets') === 1)
  while ((await scrape(service)).value('parley_socket_backlog_bytes') === 0)
    await sendMany(service, token, 100)
  await service.setClock(0, 30)
  const { value } = await scrapeUntil(service, (scraped) => scraped.value('parley_sockets') === 0)
  silent.destroy()
  expect(value('parley_sockets_silent_total')).toBe(1)
  expect(value('parley_sockets_cut_off_total')).toBe(0)
  expect(closeNames([await service.waitFor(/"connection closed"/)])).toEqual(['silent-client'])
}, 300_000)

test('refusals are counted by policy, for requests and for frames', async () => {
  const limits = { RATE_LIMITS: 'on', RATE_LIMIT_READ: '1/60', RATE_LIMIT_SEND: '1/60' }
  await using service = await startService({ ...on, ...limits })
  const { token } = await service.account('someone')
  for (let count = 0; count < 3; count++) await service.get(profile, token)
  const client = await connect(service.url, token)
  client.send({ message: 'Hello' })
  client.send({ message: 'Refused' })
  while ((await client.next()).event !== 'error');
  const { value } = await scrape(service)
  expect(value('parley_rate_limit_refusals_total{policy="read"}')).toBe(2)
  expect(value('parley_rate_limit_refusals_total{policy="send"}')).toBe(1)
  expect(value('parley_rate_limit_refusals_total{policy="login"}')).toBe(0)
  expect(value(requests('getProfile', 429, 'rate-limit-exceeded'))).toBe(2)
  expect(value('parley_identity_cache_lookups_total{result="hit"}')).toBe(3)
  expect(value('parley_identity_cache_entries')).toBe(1)
  expect(value('parley_frame_problems_total{problem="rate-limit-exceeded"}')).toBe(1)
})

test('lookups of identities are counted by their result, also if the account has to be read first', async () => {
  const { wrap } = createAsynchronousPorts()
  await using service = await startService(on, { wrapStorage: wrap })
  const { user, token } = await service.account('someone')
  const lookups = async () => {
    const { value } = await scrape(service)
    return ['hit', 'miss'].map((result) => value(`parley_identity_cache_lookups_total{result="${result}"}`))
  }
  await service.get(profile, token)
  expect(await lookups()).toEqual([0, 1])
  await service.get(profile, token)
  expect(await lookups()).toEqual([1, 1])
  await service.storage.users.rehash(user.id, { from: 'no hash', to: 'another hash' })
  await service.get(profile, token)
  expect(await lookups()).toEqual([2, 1])
  await service.storage.users.remove(user.id, { eraseMessages: false })
  expect((await service.get(profile, token)).status).toBe(401)
  expect(await lookups()).toEqual([2, 2])
})

test('the state of the database and the retention are read at a scrape', async () => {
  await using service = await startService({ ...on, MESSAGE_RETENTION_DAYS: '2' })
  const { token } = await service.account('someone')
  const before = await scrape(service)
  expect(before.value('parley_message_positions')).toBe(0)
  expect(before.value('parley_oldest_message_timestamp_seconds')).toBeUndefined()
  await service.post('/api/chats/send', { message: 'Hello' }, bearer(token))
  const { value } = await scrape(service)
  expect(value('parley_message_positions')).toBe(1)
  expect(Math.abs((value('parley_oldest_message_timestamp_seconds') ?? 0) - Date.now() / 1000)).toBeLessThan(
    600,
  )
  expect(value('parley_retention_limit_seconds')).toBe(2 * 86_400)
  for (const name of ['database_size', 'database_wal_size', 'data_free']) {
    expect(value(`parley_${name}_bytes`)).toBeGreaterThan(0)
  }
  expect(value('parley_ready')).toBe(1)
  expect(value('parley_node_lag_messages')).toBeUndefined()
})

test('a storage that cannot be measured removes its metrics from the scrape, and nothing else', async () => {
  const broken = () => {
    throw new Error('The storage is broken')
  }
  await using service = await startService(on, {
    wrapStorage: (storage) => ({ ...storage, unmet: () => ['storage-unreachable'], measure: broken }),
  })
  const { value, text } = await scrape(service)
  expect(value('parley_ready')).toBe(0)
  expect(value('parley_readiness_unmet{reason="storage-unreachable"}')).toBe(1)
  expect(value('parley_readiness_unmet{reason="draining"}')).toBe(0)
  expect(value('parley_database_size_bytes')).toBeUndefined()
  expect(value('parley_sockets')).toBe(0)
  expect(text).not.toContain('broken')
})

test('failed commits and errors of background work are counted', async () => {
  await using service = await startService(on)
  const { token } = await service.account('someone')
  using file = service.openFile()
  file.run('begin immediate')
  const response = await service.post('/api/chats/send', { message: 'Hello' }, bearer(token))
  expect(response.status).toBe(503)
  file.run('rollback')
  const { value } = await scrape(service)
  expect(value('parley_commit_failures_total')).toBe(1)
  expect(value('parley_messages_appended_total')).toBe(0)
  expect(value(requests('sendMessage', 503, 'storage-unavailable'))).toBe(1)
})
