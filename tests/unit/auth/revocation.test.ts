import { Database } from 'bun:sqlite'
import { afterEach, expect, setSystemTime, test } from 'bun:test'
import { join } from 'node:path'
import { drizzle } from 'drizzle-orm/bun-sqlite'
import { createSqliteRevocations } from '../../../src/auth/revocations.sqlite.ts'
import { createChangeCounter } from '../../../src/storage/sqlite/change-counter.ts'
import initial from '../../../src/storage/sqlite/migrations/0000_initial.sql' with { type: 'text' }
import journal from '../../../src/storage/sqlite/migrations/meta/_journal.json'
import { connect } from '../support/chat-client.ts'
import { startChild } from '../support/child.ts'
import { bearer, outcome, startService, temporaryFolder } from '../support/service.ts'

const password = 'correct horse battery staple'
const json = { 'content-type': 'application/json' }

afterEach(() => void setSystemTime())

test('revocations survive a kill and a restart', async () => {
  await using folder = await temporaryFolder()
  const environment = { HOST: '127.0.0.1', PORT: '0', DATA_DIR: folder.path, RATE_LIMITS: 'off' }
  const post = (url: string, path: string, body: object, token?: string) =>
    fetch(url + path, {
      method: 'POST',
      headers: { ...json, ...(token !== undefined && bearer(token)) },
      body: JSON.stringify(body),
    })
  const tokens: Record<'loggedOut' | 'everywhere' | 'changed' | 'kept' | 'current', string> = {
    loggedOut: '',
    everywhere: '',
    changed: '',
    kept: '',
    current: '',
  }
  {
    await using child = await startChild({ environment })
    const logIn = async (username: string) => {
      await post(child.url, '/api/auth/register', { username, password })
      const response = await post(child.url, '/api/auth/login', { username, password })
      return ((await response.json()) as { token: string }).token
    }
    tokens.loggedOut = await logIn('one')
    tokens.kept = await logIn('one')
    tokens.everywhere = await logIn('two')
    tokens.changed = await logIn('three')
    await post(child.url, '/api/auth/logout', {}, tokens.loggedOut)
    await post(child.url, '/api/auth/logout', { everywhere: true }, tokens.everywhere)
    const body = { currentPassword: password, newPassword: `${password} 2` }
    const changed = await post(child.url, '/api/users/password', body, tokens.changed)
    tokens.current = ((await changed.json()) as { token: string }).token
    child.signal('SIGKILL')
  }
  await using child = await startChild({ environment })
  const statuses: Record<string, number> = {}
  for (const [name, token] of Object.entries(tokens)) {
    statuses[name] = (await fetch(`${child.url}/api/users/profile`, { headers: bearer(token) })).status
  }
  expect(statuses).toEqual({ loggedOut: 401, everywhere: 401, changed: 401, kept: 200, current: 200 })
})

test('a socket whose token is revoked in the middle of a replay receives no further page', async () => {
  const released = Promise.withResolvers<void>()
  const reading = Promise.withResolvers<void>()
  let reads = 0
  await using service = await startService(
    {},
    {
      wrapStorage: ({ messageLog, ...storage }) => ({
        ...storage,
        messageLog: {
          ...messageLog,
          async readAfter(cursor, limit) {
            if (++reads === 2) {
              reading.resolve()
              await released.promise
            }
            return messageLog.readAfter(cursor, limit)
          },
        },
      }),
    },
  )
  const { user, token } = await service.account('someone')
  const after = service.storage.messageLog.head()
  const append = (message: string) =>
    service.storage.messageLog.append({ user, message, idempotencyKey: undefined })
  await Promise.all(Array.from({ length: 350 }, (_, i) => append(`message ${i}`)))
  const client = await connect(service.url, token, { path: `/?after=${after}` })
  await reading.promise
  expect((await service.post('/api/auth/logout', {}, bearer(token))).status).toBe(200)
  expect(await client.closed).toEqual({ code: 3000, reason: 'logged-out' })
  released.resolve()
  await Bun.sleep(20)
  expect(client.received().length).toBeLessThan(350)
  expect(client.received().some(({ event }) => event === 'caught-up')).toBe(false)
})

test('a request whose token is revoked while its body arrives is refused', async () => {
  await using service = await startService()
  const { token } = await service.account('someone')
  const { promise: revoked, resolve } = Promise.withResolvers<void>()
  const body = new ReadableStream({
    async start(controller) {
      controller.enqueue(new TextEncoder().encode('{"message":'))
      await revoked
      controller.enqueue(new TextEncoder().encode('"too late"}'))
      controller.close()
    },
  })
  const sent = fetch(`${service.url}/api/chats/send`, {
    method: 'POST',
    headers: { ...json, ...bearer(token) },
    body,
  })
  await Bun.sleep(50)
  expect((await service.post('/api/auth/logout', {}, bearer(token))).status).toBe(200)
  resolve()
  expect(await outcome(sent)).toEqual([401, 'invalid-token'])
})

test('a connection that was extended outlives the logout of its first token, and ends with its new one', async () => {
  await using service = await startService()
  const { token } = await service.account('someone')
  const renewed = await service.post('/api/auth/refresh', {}, bearer(token))
  const { token: second } = (await renewed.json()) as { token: string }
  const client = await connect(service.url, token)
  client.send({ event: 'authenticate', token: second })
  expect((await client.next()).event).toBe('authenticated')
  await service.post('/api/auth/logout', {}, bearer(token))
  // Longer than it takes the sweep to close the connections of a revoked token.
  await Bun.sleep(1200)
  client.send({ message: 'still here' })
  expect((await client.next()).message).toBe('still here')
  await service.post('/api/auth/logout', {}, bearer(second))
  expect(await client.closed).toEqual({ code: 3000, reason: 'logged-out' })
})

test('a renewed token keeps the time of the login, after which it cannot be renewed again', async () => {
  await using service = await startService({ TOKEN_TTL_SECONDS: '60' })
  const { token } = await service.account('someone')
  const authTime = (jwt: string) =>
    JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString()).auth_time
  let current = token
  for (let i = 0; i < 3; i++) {
    await Bun.sleep(400)
    const response = await service.post('/api/auth/refresh', {}, bearer(current))
    current = ((await response.json()) as { token: string }).token
    expect(authTime(current)).toBe(authTime(token))
  }
})

test('a revocation is stored until its token expires, and no longer', async () => {
  await using service = await startService({ TOKEN_TTL_SECONDS: '60' })
  const { token } = await service.account('someone')
  await service.post('/api/auth/logout', {}, bearer(token))
  using file = service.openFile()
  const count = () => file.query<{ n: number }, []>('select count(*) as n from revoked_tokens').get()?.n
  expect(count()).toBe(1)
  // A further start removes the revocations of expired tokens; a running service does so once a minute.
  const queries = drizzle(file)
  const start = () =>
    createSqliteRevocations({ queries, changes: createChangeCounter(file), onError() {} }).close()
  start()
  expect(count()).toBe(1)
  setSystemTime(new Date(Date.now() + 61_000))
  start()
  expect(count()).toBe(0)
})

test('a database of release 1.1 is upgraded, and its tokens and accounts stay valid', async () => {
  await using folder = await temporaryFolder()
  {
    using old = new Database(join(folder.path, 'parley.sqlite'), { create: true })
    for (const statement of initial.split('--> statement-breakpoint')) old.run(statement)
    old.run(
      'create table __drizzle_migrations (id integer primary key, hash text not null, created_at numeric)',
    )
    const [first] = journal.entries
    old.run('insert into __drizzle_migrations (hash, created_at) values (?, ?)', [
      first?.tag ?? '',
      first?.when ?? 0,
    ])
    old.run("insert into users values ('an id', 'someone', 'no hash', 1)")
    old.run("insert into message_log values (1, 'abcdefgh', 0)")
    old.run("insert into messages values (1, 'an id', null, 1, '{}')")
  }
  await using service = await startService({ DATA_DIR: folder.path })
  expect(await service.storage.users.find('an id')).toEqual({
    user: { id: 'an id', username: 'someone' },
    tokensValidFrom: 0,
  })
  expect(service.storage.messageLog.head()).toBe('abcdefgh-00000000001')
})
