import { describe, expect, test } from 'bun:test'
import { type ChatClient, connect } from '../support/chat-client.ts'
import { type Service, startService } from '../support/service.ts'

/** Two clients of one user, and one of another. */
async function openClients(service: Service) {
  const [sender, other] = [await service.account('Sender.One'), await service.account('other')]
  return {
    client: await connect(service.url, sender.token),
    sameUser: await connect(service.url, sender.token),
    stranger: await connect(service.url, other.token),
  }
}

/** Sends a last message, and returns the events of the frames that each client has not read before it. */
async function unreadEvents(clients: Awaited<ReturnType<typeof openClients>>): Promise<string[][]> {
  clients.stranger.send({ message: 'the last message' })
  return Promise.all(
    Object.values(clients).map(async (client) => {
      const events: string[] = []
      for (
        let frame = await client.next();
        frame.message !== 'the last message';
        frame = await client.next()
      ) {
        events.push(frame.event)
      }
      await client.close()
      return events
    }),
  )
}

test('a message names its author as registered, with its letter case', async () => {
  await using service = await startService()
  const { client, sameUser, stranger } = await openClients(service)
  client.send({ message: 'hello' })
  const frames = await Promise.all([client, sameUser, stranger].map((each) => each.next()))
  for (const { user } of frames) expect((user as { username: string }).username).toBe('Sender.One')
  await Promise.all([client, sameUser, stranger].map((each) => each.close()))
})

const refused: [string, string | object][] = [
  ['a frame that is not JSON', 'hello'],
  ['a frame that violates its schema', { message: '' }],
  ['a frame with an unknown event', { event: 'unknown' }],
]
for (const [name, frame] of refused) {
  test(`only the sender of ${name} receives an error frame`, async () => {
    await using service = await startService()
    const clients = await openClients(service)
    clients.client.send(frame)
    expect((await clients.client.next()).event).toBe('error')
    expect(await unreadEvents(clients)).toEqual([[], [], []])
  })
}

test('only the sender of a repeated key receives a stored frame, and nothing is broadcast again', async () => {
  await using service = await startService()
  const clients = await openClients(service)
  clients.client.send({ message: 'once', idempotencyKey: 'key' })
  const { id } = await clients.client.next()
  clients.client.send({ message: 'once', idempotencyKey: 'key' })
  expect(await clients.client.next()).toEqual({ event: 'stored', id, idempotencyKey: 'key' })
  expect(await unreadEvents(clients)).toEqual([[], ['message'], ['message']])
})

describe('clients whose messages share a commit', () => {
  test('learn the outcome of their own messages, and can disconnect', async () => {
    await using service = await startService()
    const clients = await openClients(service)
    const { client, sameUser, stranger } = clients
    client.send({ message: 'once', idempotencyKey: 'key' })
    const [{ id }] = await Promise.all([client.next(), sameUser.next(), stranger.next()])
    // Sent in one turn, so that the service receives them in one turn.
    client.send({ message: 'once', idempotencyKey: 'key' })
    sameUser.send({ message: 'another', idempotencyKey: 'key' })
    stranger.send({ message: 'new', idempotencyKey: 'key' })
    for (const each of Object.values(clients)) each.send({ event: 'disconnect' })
    for (const each of Object.values(clients)) expect((await each.closed).code).toBe(1000)
    const framesOf = (each: ChatClient) =>
      each.received().flatMap((frame) => (frame.event === 'message' ? [] : [frame]))
    expect(framesOf(client)).toEqual([{ event: 'stored', id, idempotencyKey: 'key' }])
    expect(framesOf(sameUser)).toMatchObject([
      { event: 'error', idempotencyKey: 'key', problem: { code: 'idempotency-key-reused' } },
    ])
    expect(framesOf(stranger)).toEqual([])
  })

  test('all learn that the commit failed, each with its own key', async () => {
    await using service = await startService()
    const clients = Object.values(await openClients(service))
    {
      using locker = service.openFile()
      locker.run('begin immediate')
      for (const [index, each] of clients.entries()) {
        each.send({ message: 'one', idempotencyKey: `one-${index}` })
        each.send({ message: 'two', idempotencyKey: `two-${index}` })
      }
      for (const [index, each] of clients.entries()) {
        const frames = [await each.next(), await each.next()]
        expect(frames).toMatchObject(
          ['one', 'two'].map((key) => ({
            event: 'error',
            idempotencyKey: `${key}-${index}`,
            problem: { code: 'storage-unavailable' },
          })),
        )
      }
      locker.run('rollback')
    }
    for (const each of clients) each.send({ event: 'disconnect' })
    for (const each of clients) expect((await each.closed).code).toBe(1000)
  })
})

test('only the sender of a ping receives a pong', async () => {
  await using service = await startService()
  const clients = await openClients(service)
  clients.client.send({ event: 'ping' })
  expect(await clients.client.next()).toEqual({ event: 'pong' })
  expect(await unreadEvents(clients)).toEqual([[], [], []])
})

test('an error frame repeats the valid key of the refused frame', async () => {
  await using service = await startService()
  const { token } = await service.account('someone')
  const client = await connect(service.url, token)
  client.send({ message: '', idempotencyKey: 'my-key' })
  expect((await client.next()).idempotencyKey).toBe('my-key')
  client.send({ message: 'a', idempotencyKey: 'not a key' })
  expect(await client.next()).not.toHaveProperty('idempotencyKey')
  await client.close()
})

for (const count of [1, 50, 600]) {
  test(`${count} messages that were sent before a disconnect are stored and delivered`, async () => {
    await using service = await startService()
    const [sender, reader] = [await service.account('sender'), await service.account('reader')]
    const [client, other] = [
      await connect(service.url, sender.token),
      await connect(service.url, reader.token),
    ]
    const messages = Array.from({ length: count }, (_, i) => `message ${i}`)
    for (const message of messages) client.send({ message })
    client.send({ event: 'disconnect' })
    expect(await client.closed).toEqual({ code: 1000, reason: 'disconnected' })
    // The sender has received its own messages before the connection closed.
    expect(client.received().map(({ message }) => message)).toEqual(messages)
    for (const message of messages) expect((await other.next()).message).toBe(message)
    await other.close()
  })
}

test('messages that were accepted before a stop are stored', async () => {
  const service = await startService()
  const { token } = await service.account('sender')
  const stored: string[] = []
  service.storage.messageLog.subscribe(({ frame }) => stored.push(JSON.parse(frame).message))
  const client = await connect(service.url, token)
  const messages = Array.from({ length: 600 }, (_, i) => `message ${i}`)
  for (const message of messages) client.send({ message })
  client.send({ event: 'ping' })
  while ((await client.next()).event !== 'pong');
  await service[Symbol.asyncDispose]()
  expect(stored).toEqual(messages)
})

describe('rate limits of frames', () => {
  const limited = { RATE_LIMITS: 'on', RATE_LIMIT_SEND: '2/60', RATE_LIMIT_PING: '3/60' }
  const refusal = { event: 'error', problem: { code: 'rate-limit-exceeded' } }

  test('pings and messages have their own quotas', async () => {
    await using service = await startService(limited)
    const { token } = await service.account('someone')
    const client = await connect(service.url, token)
    for (const _ of [1, 2, 3]) client.send({ event: 'ping' })
    for (const _ of [1, 2, 3]) expect(await client.next()).toEqual({ event: 'pong' })
    client.send({ event: 'ping' })
    expect(await client.next()).toMatchObject(refusal)
    for (const message of ['a', 'b']) {
      client.send({ message })
      expect((await client.next()).message).toBe(message)
    }
    client.send({ message: 'c' })
    expect(await client.next()).toMatchObject(refusal)
    await client.close()
  })

  test('frames that are not JSON count as messages', async () => {
    await using service = await startService(limited)
    const { token } = await service.account('someone')
    const client = await connect(service.url, token)
    for (const _ of [1, 2, 3]) client.send('not JSON')
    const codes = []
    for (const _ of [1, 2, 3]) codes.push(((await client.next()).problem as { code: string }).code)
    expect(codes).toEqual(['malformed-json', 'malformed-json', 'rate-limit-exceeded'])
    await client.close()
  })

  test('only ten refusals in a row close the connection', async () => {
    await using service = await startService({ ...limited, RATE_LIMIT_SEND: '1/60' })
    const { token } = await service.account('someone')
    const client = await connect(service.url, token)
    client.send({ message: 'admitted' })
    await client.next()
    for (let i = 0; i < 9; i++) {
      client.send({ message: 'refused' })
      expect(await client.next()).toMatchObject(refusal)
    }
    // An admitted frame, here of another policy, ends the row.
    client.send({ event: 'ping' })
    expect(await client.next()).toEqual({ event: 'pong' })
    for (let i = 0; i < 10; i++) client.send({ message: 'refused' })
    for (let i = 0; i < 10; i++) expect(await client.next()).toMatchObject(refusal)
    expect(await client.closed).toEqual({ code: 1008, reason: 'rate-limit-exceeded' })
  })
})
