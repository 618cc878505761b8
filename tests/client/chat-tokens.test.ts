import { expect, test } from 'bun:test'
import { createClient } from '../../client/src/index.ts'
import { startChild } from '../unit/support/child.ts'
import { startService } from '../unit/support/service.ts'
import { newUser, password, sleep, startRestartable, until } from './support/restartable-service.ts'
import { observe } from './support/states.ts'
import { startProxy } from './support/tcp-proxy.ts'

const fast = { firstDelayMs: 20, maxDelayMs: 100 }

test('a chat outlives its token without a new connection', async () => {
  await using service = await startService({ TOKEN_TTL_SECONDS: '3' })
  const { client } = await newUser(service.url)
  await using chat = client.chat()
  const { states } = observe(chat)
  await chat.opened()
  const first = client.token
  await sleep(6500)
  expect((await chat.send('still here')).message).toBe('still here')
  expect(client.token).not.toBe(first)
  expect(states).toEqual(['connecting', 'catching-up', 'open'])
}, 300_000)

test('after the token expired while the server was away, one login continues the chat', async () => {
  await using service = await startRestartable({ TOKEN_TTL_SECONDS: '3' })
  const { username } = await newUser(service.url)
  const reasons: string[] = []
  const client = createClient(service.url, {
    async onAuthRequired(reason, { loginUser }) {
      reasons.push(reason)
      await loginUser({ username, password })
    },
  })
  const chat = client.chat(fast)
  const { states } = observe(chat)
  const texts: string[] = []
  chat.on('message', ({ message }) => texts.push(message))
  await chat.opened()
  await service.kill()
  const sent = chat.send('written offline')
  await sleep(3500)
  await service.start()
  expect((await sent).message).toBe('written offline')
  expect(reasons).toEqual(['missing-token', 'invalid-token'])
  expect(texts).toEqual(['written offline'])
  expect(states).toContain('waiting')
  await chat.close()
}, 300_000)

test('without a login, an expired chat is unauthorized, and continues with the next token', async () => {
  await using service = await startService({ TOKEN_TTL_SECONDS: '3' })
  const { client, username } = await newUser(service.url)
  const other = createClient(service.url)
  other.setToken(client.token)
  await using chat = other.chat(fast)
  const { states } = observe(chat)
  await until(() => chat.state.name === 'unauthorized')
  expect(chat.state).toMatchObject({ reason: 'token-expired' })
  const sent = chat.send('waiting for a token')
  await other.loginUser({ username, password })
  expect((await sent).message).toBe('waiting for a token')
  expect(states.filter((name) => name === 'unauthorized')).toHaveLength(1)
}, 300_000)

test('a login that fails for a while is repeated, and one that is refused is not', async () => {
  await using service = await startService()
  const { username } = await newUser(service.url)
  let attempts = 0
  const client = createClient(service.url, {
    retries: 0,
    async fetch(url, init) {
      if (url.endsWith('/login') && ++attempts < 3) throw new TypeError('offline')
      return fetch(url, init)
    },
    onAuthRequired: (_, { loginUser }) => loginUser({ username, password }),
  })
  await using chat = client.chat(fast)
  await chat.opened()
  expect(attempts).toBe(3)

  const wrong = createClient(service.url, {
    onAuthRequired: (_, { loginUser }) => loginUser({ username, password: 'not the password' }),
  })
  await using refused = wrong.chat(fast)
  await until(() => refused.state.name === 'unauthorized')
  expect(refused.state).toMatchObject({
    reason: 'missing-token',
    error: { cause: { code: 'invalid-credentials' } },
  })
})

test('a logout ends the chats of the user, without another login', async () => {
  await using service = await startService()
  const { client, username } = await newUser(service.url)
  let logins = 0
  const other = createClient(service.url, {
    async onAuthRequired(_, { loginUser }) {
      logins++
      await loginUser({ username, password })
    },
  })
  await using own = client.chat(fast)
  await using elsewhere = other.chat(fast)
  await Promise.all([own.opened(), elsewhere.opened()])
  await client.logoutUser({ everywhere: true })
  await until(() => own.state.name === 'unauthorized' && elsewhere.state.name === 'unauthorized')
  expect(own.state).toMatchObject({ reason: 'logged-out' })
  expect(elsewhere.state).toMatchObject({ reason: 'logged-out' })
  expect(logins).toBe(1)
})

test('a password change moves the chat to the new token', async () => {
  await using service = await startService()
  const { client } = await newUser(service.url)
  await using chat = client.chat(fast)
  await chat.opened()
  await client.changePassword({ currentPassword: password, newPassword: 'another horse battery staple' })
  await sleep(1500)
  expect((await chat.send('still me')).message).toBe('still me')
})

test('the messages of one user are not sent in the name of another', async () => {
  await using service = await startService()
  const { client: anna } = await newUser(service.url)
  const { username: bert } = await newUser(service.url)
  await using chat = anna.chat(fast)
  await chat.opened()
  await anna.logoutUser()
  await until(() => chat.state.name === 'unauthorized')
  const outcome = chat.send('from anna').catch((each: unknown) => each)
  await anna.loginUser({ username: bert, password })
  expect(await outcome).toMatchObject({ code: 'closed', outcome: 'not-done' })
  expect((await chat.send('from bert')).user.username).toBe(bert)
})

test('two tabs of one user receive the same messages, and confirm only their own', async () => {
  await using service = await startService()
  const { client } = await newUser(service.url)
  await using first = client.chat()
  await using second = client.chat()
  const logs = [first, second].map((chat) => {
    const ids: string[] = []
    chat.on('message', ({ id }) => ids.push(id))
    return ids
  })
  await Promise.all([first.opened(), second.opened()])
  const texts = Array.from({ length: 20 }, (_, index) => `m${index}`)
  const sent = await Promise.all(texts.flatMap((text) => [first.send(text), second.send(text)]))
  expect(new Set(sent.map(({ id }) => id)).size).toBe(40)
  await until(() => logs.every(({ length }) => length === 40))
  expect(logs[0]).toEqual(logs[1] as string[])
})

test('a laptop that slept while its connection was lost misses nothing', async () => {
  await using service = await startService({ TOKEN_TTL_SECONDS: '3' })
  await using proxy = await startProxy(Number(new URL(service.url).port))
  const { client, username } = await newUser(service.url)
  const program = 'tests/client/support/sleeper.ts'
  await using sleeper = await startChild({
    program,
    environment: { URL: proxy.url, USERNAME: username, PASSWORD: password },
  })
  /** Logs in first, because the token may have expired on a busy machine. */
  const send = async (message: string) => {
    await client.loginUser({ username, password })
    await client.sendMessage({ message })
  }
  await send('before')
  await sleeper.waitFor(/received before/)
  sleeper.signal('SIGSTOP')
  // Timers stop, the token expires, and the network loses the connection without telling anyone.
  proxy.silence()
  await send('while it sleeps')
  await sleep(3500)
  sleeper.signal('SIGCONT')
  await sleeper.waitFor(/received while it sleeps/)
  await send('after')
  await sleeper.waitFor(/received after/)
  const output = await sleeper.stop()
  expect(output.match(/received .*/g)).toEqual([
    'received before',
    'received while it sleeps',
    'received after',
  ])
}, 300_000)
