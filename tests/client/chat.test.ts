import { expect, test } from 'bun:test'
import { type Chat, type ChatMessage, type ChatState, createClient } from '../../client/src/index.ts'
import { createPosition } from '../../client/src/position.ts'
import { sendRateLimit } from '../../src/contract/frames.ts'
import { type Service, startService } from '../unit/support/service.ts'
import { newUser, password, sleep, startRestartable, until } from './support/restartable-service.ts'
import { observe, transitions } from './support/states.ts'
import { startProxy } from './support/tcp-proxy.ts'

const fast = { firstDelayMs: 20, maxDelayMs: 100 }

/** A client with the token of a new account. */
async function clientOf(service: Service, username: string) {
  const client = createClient(service.url)
  client.setToken((await service.account(username)).token)
  return client
}

/** The texts of the messages that the chat receives. */
function received(chat: Chat): string[] {
  const texts: string[] = []
  chat.on('message', ({ message }) => texts.push(message))
  return texts
}

test('the documentation lists the states and their transitions', () => {
  expect([...transitions.keys()]).toEqual([
    'connecting',
    'catching-up',
    'open',
    'waiting',
    'unauthorized',
    'paused',
    'closing',
    'closed',
  ] satisfies ChatState['name'][])
  expect(transitions.get('closed')).toEqual([])
})

test('a message resolves with what all clients receive', async () => {
  await using service = await startService()
  const [anna, bert] = [await clientOf(service, 'anna'), await clientOf(service, 'bert')]
  await using first = anna.chat()
  await using second = bert.chat()
  const messages: ChatMessage[] = []
  second.on('message', (message) => messages.push(message))
  await Promise.all([first.opened(), second.opened()])
  const stored = await first.send('Hello, world!')
  expect(stored).toMatchObject({ message: 'Hello, world!', user: { username: 'anna' } })
  expect(first.user).toEqual(stored.user)
  await until(() => messages.length > 0)
  expect(messages).toEqual([stored])
  expect([first.cursor, second.cursor]).toEqual([stored.id, stored.id])
})

test('a chat begins where it is told to', async () => {
  await using service = await startService()
  const client = await clientOf(service, 'anna')
  for (const message of ['1', '2', '3', '4']) await client.sendMessage({ message })
  const { messages } = await client.listMessages()
  const second = messages[1] as ChatMessage
  const gaps: unknown[] = []
  for (const [from, expected] of [
    ['now', []],
    ['beginning', ['1', '2', '3', '4']],
    [{ last: 0 }, []],
    [{ last: 3 }, ['2', '3', '4']],
    [{ last: 1000 }, ['1', '2', '3', '4']],
    [{ after: second.id }, ['3', '4']],
  ] as const) {
    await using chat = client.chat({ from })
    chat.on('gap', (gap) => gaps.push(gap))
    const texts = received(chat)
    await chat.opened()
    expect(texts).toEqual([...expected])
  }
  expect(gaps).toEqual([])
})

test('nothing is missed between the start and the first connection, also in an empty log', async () => {
  await using service = await startService()
  const [anna, bert] = [await clientOf(service, 'anna'), await clientOf(service, 'bert')]
  let send = true
  const client = createClient(service.url, {
    WebSocket: class extends WebSocket {
      constructor(url: string, protocols: string[]) {
        // The head of the log is known, and there is no connection yet.
        if (send) void bert.sendMessage({ message: 'in between' })
        send = false
        super(url, protocols)
      }
    },
  })
  client.setToken(anna.token)
  await using chat = client.chat()
  const texts = received(chat)
  await chat.opened()
  await until(() => texts.length > 0)
  expect(texts).toEqual(['in between'])
})

test('messages that have been removed are reported as a gap', async () => {
  await using service = await startRestartable()
  const { client } = await newUser(service.url)
  const chat = client.chat(fast)
  const events: string[] = []
  chat.on('message', ({ message }) => events.push(message))
  chat.on('gap', () => events.push('gap'))
  chat.on('caught-up', () => events.push('caught up'))
  await chat.send('before')
  await service.kill()
  await using other = await startRestartable({ PORT: String(service.port) })
  const { client: bert, username } = await newUser(other.url)
  await bert.sendMessage({ message: 'in another log' })
  await client.loginUser({ username, password })
  await until(() => events.includes('in another log'))
  expect(events).toEqual(['caught up', 'before', 'gap', 'in another log', 'caught up'])
  await chat.close()
}, 30_000)

test('a message with a key that was used before resolves with the stored message', async () => {
  await using service = await startService()
  const client = await clientOf(service, 'anna')
  await using chat = client.chat()
  const stored = await chat.send('once', { idempotencyKey: 'key-1' })
  expect(await chat.send('once', { idempotencyKey: 'key-1' })).toEqual(stored)
  const reused = await chat.send('other', { idempotencyKey: 'key-1' }).catch((each: unknown) => each)
  expect(reused).toMatchObject({ code: 'idempotency-key-reused', outcome: 'not-done' })
})

test('the message of another user with the same key and text confirms nothing', async () => {
  await using service = await startService()
  const [anna, bert] = [await clientOf(service, 'anna'), await clientOf(service, 'bert')]
  const { head } = await anna.listMessages()
  await bert.sendMessage({ message: 'same' }, { idempotencyKey: 'key-1' })
  // The replay contains the message of bert while the message of anna waits.
  await using chat = anna.chat({ from: { after: head } })
  const texts = received(chat)
  expect((await chat.send('same', { idempotencyKey: 'key-1' })).user.username).toBe('anna')
  expect(texts).toEqual(['same', 'same'])
})

test('a message that is received twice is delivered once', () => {
  const position = createPosition('now')
  const message = (id: string) => ({ id }) as ChatMessage
  expect(['1', '2', '1', '2', '3'].map((id) => position.accept(message(id)))).toEqual([
    true,
    true,
    false,
    false,
    true,
  ])
  expect(position.cursor).toBe('3')
})

test.each(['', 'with a space', 'é', 'k'.repeat(65)])(
  'a message with the invalid key %j rejects, because no response could name it',
  async (idempotencyKey) => {
    await using service = await startService()
    await using chat = (await clientOf(service, 'anna')).chat()
    const sent = chat.send('text', { idempotencyKey }).catch((error: unknown) => error)
    expect(await sent).toMatchObject({ code: 'validation-failed', outcome: 'not-done' })
    expect((await chat.send('fine')).message).toBe('fine')
  },
)

test('a refused message rejects with the problem, and the connection stays open', async () => {
  await using service = await startService()
  await using chat = (await clientOf(service, 'anna')).chat()
  const { states } = observe(chat)
  const outcomes = await Promise.allSettled([
    chat.send(''),
    chat.send('x'.repeat(5000)),
    chat.send('x'.repeat(70_000)),
    chat.send('\ud800'),
    chat.send('fine'),
  ])
  expect(
    outcomes.map((each) => (each.status === 'rejected' ? each.reason.code : each.value.message)),
  ).toEqual(['validation-failed', 'validation-failed', 'content-too-large', 'validation-failed', 'fine'])
  expect(states).toEqual(['connecting', 'catching-up', 'open'])
})

test('a burst beyond the documented limit is sent in order, and the connection is never closed for it', async () => {
  await using service = await startService({
    RATE_LIMITS: 'on',
    RATE_LIMIT_SEND: `${sendRateLimit.quota / 10}/1`,
  })
  const client = await clientOf(service, 'anna')
  for (const frames of [1, 9]) {
    await using chat = client.chat({ window: frames })
    // Another tab of the same user uses up the same quota.
    await using tab = client.chat({ window: frames })
    const { states } = observe(chat)
    const texts = Array.from({ length: 30 }, (_, index) => `${frames}-${index}`)
    const sent = await Promise.all([
      ...texts.map((text) => chat.send(text)),
      ...texts.map((text) => tab.send(`tab ${text}`)),
    ])
    expect(sent).toHaveLength(60)
    expect(states).toEqual(['connecting', 'catching-up', 'open'])
    if (frames === 1) {
      const ids = sent.slice(0, 30).map(({ id }) => id)
      expect(ids.toSorted()).toEqual(ids)
    }
  }
}, 60_000)

test('the queue is bounded, and a message that was not written is certainly not stored', async () => {
  await using service = await startRestartable()
  const { client } = await newUser(service.url)
  await service.kill()
  const chat = client.chat({ ...fast, maxQueue: 2 })
  const controller = new AbortController()
  const sends = ['1', '2', '3'].map((text) => chat.send(text, { signal: controller.signal }))
  const outcomes = Promise.allSettled(sends)
  await sleep(100)
  expect(chat.pending).toBe(2)
  controller.abort()
  const last = chat.send('4').catch((each: unknown) => each)
  await chat.close()
  expect(await outcomes).toMatchObject([
    { reason: { code: 'aborted', outcome: 'not-done' } },
    { reason: { code: 'aborted', outcome: 'not-done' } },
    { reason: { code: 'queue-full', outcome: 'not-done' } },
  ])
  expect(await last).toMatchObject({ code: 'closed', outcome: 'not-done' })
  expect(await chat.send('5').catch((each: unknown) => each)).toMatchObject({ code: 'closed' })
  expect(await chat.opened().catch((each: unknown) => each)).toMatchObject({ code: 'closed' })
}, 30_000)

test('a slow loop pauses the chat, and misses nothing', async () => {
  await using service = await startService()
  const [anna, bert] = [await clientOf(service, 'anna'), await clientOf(service, 'bert')]
  await using chat = anna.chat(fast)
  const { states } = observe(chat)
  const messages = chat.messages({ highWater: 10 })
  const first = messages.next()
  await chat.opened()
  const expected = Array.from({ length: 100 }, (_, index) => `m${index}`)
  for (const message of expected) await bert.sendMessage({ message })
  await until(() => states.includes('paused'))
  const texts = [(await first).value?.message]
  for await (const { message } of messages) {
    texts.push(message)
    if (texts.length === expected.length) break
  }
  expect(texts).toEqual(expected)
})

test('closing ends the loops and waits for the messages in flight', async () => {
  await using service = await startService()
  const chat = (await clientOf(service, 'anna')).chat()
  const texts: string[] = []
  const reading = (async () => {
    for await (const { message } of chat) texts.push(message)
  })()
  await chat.opened()
  const sent = chat.send('last words')
  const tooLate = chat.send('not written').catch((each: unknown) => each)
  await chat.close()
  expect((await sent).message).toBe('last words')
  expect(await tooLate).toMatchObject({ code: 'closed', outcome: 'not-done' })
  await reading
  expect(texts).toEqual(['last words'])
  expect(chat.state).toEqual({ name: 'closed', error: undefined })
})

test('a chat that is closed before it connects stays closed, and can be closed again', async () => {
  await using service = await startService()
  const chat = (await clientOf(service, 'anna')).chat()
  const { states } = observe(chat)
  await Promise.all([chat.close(), chat.close()])
  await sleep(50)
  await chat.close()
  expect(states).toEqual(['connecting', 'closed'])
})

test('without a WebSocket, the chat ends with an error', async () => {
  await using service = await startService()
  const client = createClient(service.url, {
    WebSocket: class {
      constructor() {
        throw new SyntaxError('not supported')
      }
    } as unknown as typeof WebSocket,
  })
  client.setToken((await service.account('anna')).token)
  const chat = client.chat()
  const error = await chat.opened().catch((each: unknown) => each)
  expect(error).toMatchObject({ code: 'closed', cause: new SyntaxError('not supported') })
})

test('a refused handshake is repeated later if that can help, and ends the chat otherwise', async () => {
  await using service = await startService({ MAX_SOCKETS_PER_USER: '1', CORS_ORIGINS: 'https://app.example' })
  const { token } = await service.account('anna')
  const fromOrigin = (origin: string) =>
    class extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, { protocols, headers: { origin } } as unknown as string[])
      }
    }
  const [allowed, foreign] = ['https://app.example', 'https://elsewhere.example'].map((origin) => {
    const client = createClient(service.url, { WebSocket: fromOrigin(origin) })
    client.setToken(token)
    return client
  })
  await using first = allowed?.chat(fast) as Chat
  await first.opened()
  await using second = allowed?.chat(fast) as Chat
  await until(() => second.state.name === 'waiting')
  expect(second.state).toMatchObject({ error: { code: 'too-many-sockets' } })
  await using refused = foreign?.chat(fast) as Chat
  await until(() => refused.state.name === 'closed')
  expect(refused.state).toMatchObject({ error: { code: 'origin-not-allowed' } })
})

test('a position that is not valid is discarded once', async () => {
  await using service = await startService()
  await using chat = (await clientOf(service, 'anna')).chat({ ...fast, from: { after: 'not a cursor' } })
  expect((await chat.send('Hello')).message).toBe('Hello')
})

test('a listener that throws does not affect the chat', async () => {
  await using service = await startService()
  await using child = await startRestartable()
  const { token } = await service.account('anna')
  expect(child.url).not.toBe(service.url)
  const program = `
    import { createClient } from './client/src/index.ts'
    process.on('uncaughtException', ({ message }) => console.log('uncaught', message))
    const client = createClient(${JSON.stringify(service.url)})
    client.setToken(${JSON.stringify(token)})
    const chat = client.chat()
    chat.on('message', () => { throw new Error('of a listener') })
    chat.on('message', ({ message }) => console.log('received', message))
    console.log('sent', (await chat.send('Hello')).message)
    await chat.close()`
  const run = Bun.spawn([process.execPath, '-e', program], { stdout: 'pipe', stderr: 'inherit' })
  const lines = (await new Response(run.stdout).text()).trim().split('\n')
  expect(lines.toSorted()).toEqual(['received Hello', 'sent Hello', 'uncaught of a listener'])
})

test('a connection that swallows everything is found dead and replaced', async () => {
  await using service = await startService()
  await using proxy = await startProxy(Number(new URL(service.url).port))
  const client = createClient(proxy.url)
  client.setToken((await service.account('anna')).token)
  const chat = client.chat({ ...fast, pingAfterMs: 200, pongTimeoutMs: 200 })
  const texts = received(chat)
  await chat.send('before')
  proxy.silence()
  expect((await chat.send('through the hole')).message).toBe('through the hole')
  expect(texts).toEqual(['before', 'through the hole'])
  // Pings alone find it as well.
  const { states } = observe(chat)
  proxy.silence()
  await until(() => states.length > 1 && chat.state.name === 'open')
  expect(states).toEqual(['open', 'connecting', 'catching-up', 'open'])
  await chat.close()
})
