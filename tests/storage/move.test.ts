import { Database as Sqlite } from 'bun:sqlite'
import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { skipsPostgres } from '../fixtures/postgres-server.ts'
import { startChild } from '../unit/support/child.ts'
import { failureOf, runCommand, runJson, spawnCommand } from '../unit/support/command.ts'
import { readRecipes, startPlayground } from '../unit/support/recipes.ts'
import { startIn, stoppedService } from '../unit/support/restores.ts'
import { bearer, temporaryFolder } from '../unit/support/service.ts'
import { createDatabase, openNode } from './support/postgres.ts'
import { sharedPostgres, stopPostgresAfterTests } from './support/postgres-server.ts'

stopPostgresAfterTests()
setDefaultTimeout(180_000)

type Counts = Readonly<Record<'users' | 'messages' | 'revoked_tokens', { rows: number; checksum: string }>>

const moveFrom = (dataDir: string) => ['move', '--from', dataDir]
const into = (url: string) => ({ environment: { DATABASE_URL: url } })

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  return (await sharedPostgres()).query(new URL(url).pathname.slice(1), text)
}

/** Starts a node on PostgreSQL with the key of the moved service. */
async function startNode(url: string, dataDir: string) {
  const secret = (await readFile(join(dataDir, 'jwt-secret'), 'utf8')).trim()
  return startChild({
    environment: { DATABASE_URL: url, JWT_SECRET: secret, RATE_LIMITS: 'off', DRAIN_SECONDS: '0' },
  })
}

/** The frames that a client receives when it resumes, up to the event that ends the replay. */
async function resume(url: string, token: string, after: string, rooms = ''): Promise<string[]> {
  const frames: string[] = []
  const ended = Promise.withResolvers<void>()
  const socket = new WebSocket(`${url.replace('http', 'ws')}/?after=${after}${rooms}`, {
    headers: bearer(token),
  })
  socket.onmessage = ({ data }) => {
    frames.push(String(data))
    if (JSON.parse(String(data)).event === 'caught-up') ended.resolve()
  }
  socket.onclose = () => ended.resolve()
  await ended.promise
  socket.terminate()
  return frames
}

const post = (url: string, path: string, body: object, headers = {}) =>
  fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })

/** A stopped service with `count` messages, written to its database directly. */
async function stoppedServiceWith(count: number) {
  const service = await stoppedService()
  using sqlite = new Sqlite(join(service.dataDir, 'parley.sqlite'))
  const row = sqlite
    .query<{ user_id: string; frame: string }, []>('select user_id, frame from messages')
    .get()
  const { user_id, frame } = row as { user_id: string; frame: string }
  const parsed = JSON.parse(frame)
  const sentAt = new Date(parsed.sentAt).getTime()
  const epoch = parsed.id.slice(0, 9)
  const insert = sqlite.prepare('insert into messages values (?, ?, null, ?, ?)')
  sqlite.transaction(() => {
    for (let sequence = 2; sequence <= count; sequence++) {
      const id = epoch + sequence.toString(36).padStart(11, '0')
      insert.run(sequence, user_id, sentAt, JSON.stringify({ ...parsed, id, message: `message ${sequence}` }))
    }
  })()
  return service
}

describe.skipIf(skipsPostgres)('parley move', () => {
  test('keeps accounts, tokens, keys and positions: a client resumes on PostgreSQL and misses nothing', async () => {
    await using folder = await temporaryFolder()
    const dataDir = join(folder.path, 'data')
    const texts = [
      'first',
      'quotes " and \\ and a NUL \u0000',
      'Ünïcödé 🎉',
      'removed',
      'erased with its author',
      'last',
    ]
    const key = { 'idempotency-key': '"the-key"' }
    let before: string[]
    let cursor: string
    let token: string
    let revoked: string
    {
      await using service = await startIn(dataDir)
      for (const name of ['alice', 'bob', 'carol']) await service.register(name)
      token = await service.logIn('alice')
      revoked = await service.logIn('alice')
      await post(service.url, '/api/auth/logout', {}, bearer(revoked))
      const bob = await service.logIn('bob')
      for (const text of texts) await service.send(text.startsWith('erased') ? bob : token, text)
      await post(service.url, '/api/chats/send', { message: 'with a key' }, { ...bearer(token), ...key })
      const { messages } = await service.read(token)
      cursor = String(messages[0]?.id)
      await runJson(['messages', 'remove', String(messages[3]?.id)], { dataDir })
      await runJson(['users', 'remove', 'bob', '--erase-messages', '--yes'], { dataDir })
      await runJson(['users', 'remove', 'carol', '--yes'], { dataDir })
      before = await resume(service.url, token, cursor)
      await service.stop()
    }
    const file = join(dataDir, 'parley.sqlite')
    const bytes = await Bun.file(file).bytes()
    const url = await createDatabase()
    const { exitCode, stdout, stderr } = await runCommand(moveFrom(dataDir), into(url))
    expect([exitCode, stdout]).toEqual([
      0,
      'Moved 3 accounts (with the removed ones), 5 messages, 0 rooms and 1 revoked token.\n',
    ])
    expect(stderr).toContain('Set JWT_SECRET to the contents of')
    expect(Buffer.compare(await Bun.file(file).bytes(), bytes)).toBe(0)

    await using node = await startNode(url, dataDir)
    expect(await resume(node.url, token, cursor)).toEqual(before)
    const profile = (each: string) => fetch(`${node.url}/api/users/profile`, { headers: bearer(each) })
    expect([(await profile(token)).status, (await profile(revoked)).status]).toEqual([200, 401])
    const account = { username: 'Carol', password: 'correct horse battery staple' }
    expect((await post(node.url, '/api/auth/register', account)).status).toBe(409)
    expect((await post(node.url, '/api/auth/login', { ...account, username: 'alice' })).status).toBe(200)
    // The key is known, so nothing is stored again, and another text is refused.
    const send = (message: string) =>
      post(node.url, '/api/chats/send', { message }, { ...bearer(token), ...key })
    expect((await send('with a key')).status).toBe(200)
    expect((await send('another text')).status).toBe(422)
    await post(node.url, '/api/chats/send', { message: 'on PostgreSQL' }, bearer(token))
    const after = await resume(node.url, token, cursor)
    expect(after.slice(0, before.length - 1)).toEqual(before.slice(0, -1))
    expect(JSON.parse(after[before.length - 1] ?? '')).toMatchObject({ message: 'on PostgreSQL' })
    const idOf = (frame: string | undefined) => JSON.parse(frame ?? '').id as string
    expect(idOf(after.at(-2)).slice(0, 9)).toBe(cursor.slice(0, 9))
    expect(Number.parseInt(idOf(after.at(-2)).slice(9), 36)).toBe(8)
  })

  test('keeps rooms, their members and their messages', async () => {
    await using folder = await temporaryFolder()
    const dataDir = join(folder.path, 'data')
    const ofRooms = '&rooms=mine'
    let [cursor, bob, room] = ['', '', '']
    let before: string[]
    {
      await using service = await startIn(dataDir)
      for (const name of ['alice', 'bob']) await service.register(name)
      const alice = await service.logIn('alice')
      bob = await service.logIn('bob')
      await service.send(alice, 'to all')
      cursor = String((await service.read(alice)).messages[0]?.id)
      const created = await post(
        service.url,
        '/api/rooms',
        { name: 'A name with "quotes" and \u0000', members: ['bob'] },
        bearer(alice),
      )
      room = ((await created.json()) as { room: { id: string } }).room.id
      const key = { 'idempotency-key': '"the-key"' }
      await post(service.url, '/api/chats/send', { message: 'in the room', room }, { ...bearer(bob), ...key })
      await post(service.url, `/api/rooms`, { name: 'removed' }, bearer(bob))
      before = await resume(service.url, bob, cursor, ofRooms)
      await service.stop()
    }
    const url = await createDatabase()
    const moved = await runJson<Record<string, { rows: number }>>(moveFrom(dataDir), into(url))
    expect([moved.rooms?.rows, moved.memberships?.rows, moved.entries?.rows]).toEqual([2, 3, 4])
    await using node = await startNode(url, dataDir)
    expect(await resume(node.url, bob, cursor, ofRooms)).toEqual(before)
    const again = { ...bearer(bob), 'idempotency-key': '"the-key"' }
    expect((await post(node.url, '/api/chats/send', { message: 'in the room', room }, again)).status).toBe(
      200,
    )
    await post(node.url, '/api/chats/send', { message: 'on PostgreSQL', room }, bearer(bob))
    const texts = (await resume(node.url, bob, cursor, ofRooms)).map((frame) => JSON.parse(frame).message)
    expect(texts.filter((text) => text !== undefined)).toEqual(['in the room', 'on PostgreSQL'])
  })

  test('keeps what a removal of the newest messages and the retention have used up', async () => {
    await using service = (await stoppedServiceWith(10)).folder
    const dataDir = join(service.path, 'data')
    {
      using sqlite = new Sqlite(join(dataDir, 'parley.sqlite'))
      sqlite.run('delete from messages where sequence <= 3 or sequence >= 9')
      sqlite.run('update message_log set trimmed_through = 3, removed_through = 10')
    }
    const url = await createDatabase()
    await runJson(moveFrom(dataDir), into(url))
    await using node = await openNode(url)
    expect(Number.parseInt((await node.append('next')).id.slice(9), 36)).toBe(11)
    const [row] = await query(url, 'select epoch, trimmed_through::int as trimmed from parley.message_log')
    expect(row?.trimmed).toBe(3)
  })

  test('works as the documentation of several nodes describes it', async () => {
    const recipes = await readRecipes(fileURLToPath(new URL('../../docs/scaling.md', import.meta.url)))
    const text = recipes.find(({ title }) => title === 'Moving from SQLite')?.blocks[0]?.text ?? ''
    await using playground = await startPlayground()
    const { token } = await playground.logIn()
    await playground.send(token, 'on SQLite')
    const [{ id } = { id: '' }] = await playground.history(token)
    const url = await createDatabase()
    const output = await playground.run(text.replace(/(?<=DATABASE_URL=)\S+/, url))
    expect(output).toContain(
      'Moved 1 account (with the removed ones), 1 message, 0 rooms and 0 revoked tokens.',
    )
    expect(playground.isRunning()).toBe(false)
    await using node = await startNode(url, playground.at('data'))
    await post(node.url, '/api/chats/send', { message: 'on PostgreSQL' }, bearer(token))
    const frames = await resume(node.url, token, id)
    expect(frames.map((frame) => JSON.parse(frame).message)).toEqual(['on PostgreSQL', undefined])
  })

  test('reads what a service that was killed has left in the WAL', async () => {
    await using folder = await temporaryFolder()
    const dataDir = join(folder.path, 'data')
    await using service = await startIn(dataDir)
    await service.register('alice')
    const token = await service.logIn('alice')
    await service.send(token, 'in the WAL')
    const url = await createDatabase()
    expect(await failureOf(moveFrom(dataDir), into(url))).toStartWith('Another process serves from')
    await service[Symbol.asyncDispose]()
    const counts = await runJson<Counts>(moveFrom(dataDir), into(url))
    expect([counts.users.rows, counts.messages.rows]).toEqual([1, 1])
    expect(counts.messages.checksum).toMatch(/^[0-9a-f]{64}$/)
  })

  test('that is killed half way leaves an empty database, and can be repeated', async () => {
    const messages = 60_000
    const { folder, dataDir } = await stoppedServiceWith(messages)
    await using _ = folder
    const url = await createDatabase()
    const child = spawnCommand(moveFrom(dataDir), into(url))
    // Until it inserts messages.
    for (;;) {
      const running = await query(
        url,
        `select 1 from pg_stat_activity where application_name = 'parley start'
         and datname = current_database() and query like 'insert into parley.messages%'`,
      )
      if (running.length > 0) break
      expect(child.exitCode).toBeNull()
      await Bun.sleep(1)
    }
    child.kill('SIGKILL')
    await child.exited
    expect(child.signalCode).toBe('SIGKILL')
    // The server notices that the client is gone, and rolls back.
    for (;;) {
      const left = await query(url, "select 1 from pg_stat_activity where application_name = 'parley start'")
      if (left.length === 0) break
      await Bun.sleep(5)
    }
    expect(await query(url, "select to_regnamespace('parley') as schema")).toEqual([{ schema: null }])
    const counts = await runJson<Counts>(moveFrom(dataDir), into(url))
    expect(counts.messages.rows).toBe(messages)
    expect(await query(url, 'select count(*)::int as count from parley.messages')).toEqual([
      { count: messages },
    ])
  })

  test('refuses a database that is not empty or in use, and folders of no or another release', async () => {
    const { folder, dataDir } = await stoppedService()
    await using _ = folder
    const url = await createDatabase()
    {
      await using node = await openNode(url)
      expect(await failureOf(moveFrom(dataDir), into(url))).toStartWith(
        'DATABASE_URL: a node is using the database. Stop all nodes.',
      )
      await node.append('already here')
    }
    expect(await failureOf(moveFrom(dataDir), into(url))).toStartWith(
      'DATABASE_URL: the database is not empty: it has 0 accounts, 1 messages',
    )
    expect(await failureOf(moveFrom(dataDir))).toStartWith('Set DATABASE_URL')
    expect(await failureOf(moveFrom(`${dataDir}/none`), into(url))).toContain('does not exist')
    const migration =
      "insert into __drizzle_migrations (hash, created_at) values ('9999_future', 9999999999999)"
    using sqlite = new Sqlite(join(dataDir, 'parley.sqlite'))
    sqlite.run(migration)
    expect(await failureOf(moveFrom(dataDir), into(url))).toContain('does not know the migration 9999_future')
    sqlite.run("delete from __drizzle_migrations where hash in ('9999_future', '0001_account_lifecycle')")
    expect(await failureOf(moveFrom(dataDir), into(url))).toContain(
      'Start the service of this release, which applies the migration 0001_account_lifecycle',
    )
  })

  test('a database that a node has created, but that is empty, is accepted', async () => {
    const { folder, dataDir, cursor } = await stoppedService()
    await using _ = folder
    const url = await createDatabase()
    await (await openNode(url))[Symbol.asyncDispose]()
    await runJson(moveFrom(dataDir), into(url))
    await using node = await openNode(url)
    expect(node.log.head()).toBe(cursor)
  })
})
