import { expect, test } from 'bun:test'
import { type ChatMessage, type ChatState, createClient } from '../../client/src/index.ts'
import { createPosition } from '../../client/src/position.ts'
import { sendRateLimit } from '../../src/contract/frames.ts'
import { startService } from '../unit/support/service.ts'
import { clientOf, fast, received } from './support/chats.ts'
import { newUser, password, sleep, startRestartable, until } from './support/restartable-service.ts'
import { observe, transitions } from './support/states.ts'

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
  await until(() => events.length >= 5)
  expect(events).toEqual(['caught up', 'before', 'gap', 'in another log', 'caught up'])
  await chat.close()
}, 300_000)

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
}, 300_000)

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
}, 300_000)

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
