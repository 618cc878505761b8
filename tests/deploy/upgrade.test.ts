import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { cp, mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createClient } from '../../client/src/index.ts'
import { type LiveService, startService } from '../examples/live-service.ts'
import { buildBinary } from '../fixtures/binary.ts'
import { messages, password, repeated, usernames } from '../fixtures/released-databases/contents.ts'
import { temporaryFolder } from '../unit/support/service.ts'

const databases = join(import.meta.dir, '../fixtures/released-databases')
const released = (await readdir(databases)).filter((name) => name.endsWith('.sqlite'))
const { version } = await Bun.file(join(import.meta.dir, '../../package.json')).json()
const changelog = await Bun.file(join(import.meta.dir, '../../CHANGELOG.md')).text()

let programs: Awaited<ReturnType<typeof temporaryFolder>>
let binary: string
beforeAll(async () => {
  programs = await temporaryFolder()
  binary = join(programs.path, 'parley')
  await buildBinary(binary)
})
afterAll(() => programs[Symbol.asyncDispose]())

test('the database of each earlier release is kept', () => {
  const releases = [...changelog.matchAll(/^## \[(\d+\.\d+\.\d+)\]/gm)].map(([, each]) => `${each}.sqlite`)
  // That of the newest release is added with the next one.
  const missing = releases.filter((each) => !released.includes(each) && each !== `${version}.sqlite`)
  expect(missing).toEqual([])
  expect(releases.length).toBeGreaterThan(1)
})

describe.each(released)('the database of %s', (file) => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let service: LiveService
  /** Tokens of the release, in the order of the usernames. */
  let tokens: readonly string[]
  beforeAll(async () => {
    folder = await temporaryFolder()
    const dataDir = join(folder.path, 'data')
    await mkdir(dataDir, { mode: 0o700 })
    await cp(join(databases, file), join(dataDir, 'parley.sqlite'))
    const kept = await Bun.file(join(databases, file.replace('.sqlite', '.json'))).json()
    await writeFile(join(dataDir, 'jwt-secret'), `${kept.secret}\n`, { mode: 0o600 })
    tokens = kept.tokens
    service = await startService({ command: [binary], environment: { DATA_DIR: dataDir } })
  })
  afterAll(async () => {
    await service?.stop()
    await folder?.[Symbol.asyncDispose]()
  })

  async function login(username: string) {
    const client = createClient(service.url)
    await client.loginUser({ username, password })
    return client
  }

  /** A client that has logged in before the upgrade. */
  function loggedIn(username: string) {
    const client = createClient(service.url)
    client.setToken(tokens[usernames.indexOf(username)])
    return client
  }

  test('keeps its users logged in: their tokens are valid, over HTTP and for the WebSocket', async () => {
    expect(tokens).toHaveLength(usernames.length)
    for (const username of usernames) {
      const client = loggedIn(username)
      expect((await client.getProfile()).user.username).toBe(username)
      await using chat = client.chat()
      await chat.opened()
    }
  })

  test('has all accounts with their passwords, in any case of the username', async () => {
    for (const username of usernames) {
      const { user } = await (await login(username.toUpperCase())).getProfile()
      expect(user.username).toBe(username)
    }
    const taken = createClient(service.url).registerUser({ username: 'ANNA', password })
    await expect(taken).rejects.toMatchObject({ code: 'username-taken' })
  })

  test('has all messages in their order, and a client resumes from any of them', async () => {
    const client = await login('anna')
    const { messages: page } = await client.listMessages({ limit: 100 })
    expect(page.map(({ message }) => message)).toEqual(messages)
    for (const [index, { id }] of page.entries()) {
      const rest = await client.listMessages({ after: id, limit: 100 })
      expect(rest.messages.map(({ message }) => message)).toEqual(messages.slice(index + 1))
    }
    await using chat = client.chat({ from: { after: page[9]?.id as string } })
    const received: string[] = []
    const gaps: unknown[] = []
    chat.on('message', ({ message }) => received.push(message))
    chat.on('gap', (gap) => gaps.push(gap))
    await chat.opened()
    expect({ received, gaps }).toEqual({ received: messages.slice(10), gaps: [] })
  })

  test('remembers idempotency keys: a message that is sent again is not stored again', async () => {
    const sender = await login(usernames[repeated.index % usernames.length] as string)
    const send = (message: string) => sender.sendMessage({ message }, { idempotencyKey: repeated.key })
    await send(messages[repeated.index] as string)
    await expect(send('another text')).rejects.toMatchObject({ code: 'idempotency-key-reused' })
    const { messages: page } = await sender.listMessages({ limit: 100 })
    expect(page).toHaveLength(messages.length)
  })

  test('accepts new messages, changed passwords and removed accounts', async () => {
    const anna = await login('anna')
    await anna.sendMessage({ message: 'after the upgrade' })
    const bert = await login('bert.b')
    const { messages: page } = await bert.listMessages({ limit: 100 })
    expect(page.at(-1)).toMatchObject({ message: 'after the upgrade', user: { username: 'anna' } })
    await bert.changePassword({ currentPassword: password, newPassword: 'another long passphrase' })
    await expect(login('bert.b')).rejects.toMatchObject({ code: 'invalid-credentials' })
    await expect(loggedIn('Bert.B').getProfile()).rejects.toMatchObject({ code: 'invalid-token' })
    const carl = await login('carl-3')
    await carl.deleteProfile({ password })
    await expect(login('carl-3')).rejects.toMatchObject({ code: 'invalid-credentials' })
    await expect(loggedIn('carl-3').getProfile()).rejects.toMatchObject({ code: 'invalid-token' })
  })

  test('lets a user log out with a token of the release', async () => {
    const client = loggedIn('anna')
    await client.logoutUser()
    await expect(loggedIn('anna').getProfile()).rejects.toMatchObject({ code: 'invalid-token' })
  })
})
