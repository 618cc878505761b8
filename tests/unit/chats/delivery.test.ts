import { describe, expect, test } from 'bun:test'
import { type ChatClient, connect } from '../support/chat-client.ts'
import { bearer, outcome, type Service, startService } from '../support/service.ts'

/** Reads frames until a message with this text, and returns all of them. */
async function readUntil(client: ChatClient, message: string) {
  const frames: Awaited<ReturnType<ChatClient['next']>>[] = []
  for (;;) {
    const frame = await client.next()
    frames.push(frame)
    if (frame.message === message) return frames
  }
}

const send = (service: Service, token: string, message: string, key?: string) =>
  service.post('/api/chats/send', { message }, { ...bearer(token), ...(key && { 'idempotency-key': key }) })

interface History {
  readonly messages: readonly { readonly id: string; readonly message: string }[]
  readonly head: string
  readonly next: string | null
}

const history = async (service: Service, token: string, query = ''): Promise<History> =>
  (await (await service.get(`/api/chats/messages${query}`, token)).json()) as History

const textsOf = ({ messages }: History) => messages.map(({ message }) => message)

describe('a broadcast', () => {
  test('has exactly the documented content, and the username in the case of its registration', async () => {
    await using service = await startService()
    const { user, token } = await service.account('SomeOne')
    const client = await connect(service.url, token)
    client.send({ message: 'Hello', idempotencyKey: 'key' })
    const frame = await client.next()
    expect(frame).toEqual({
      event: 'message',
      id: (await history(service, token)).head,
      message: 'Hello',
      user: { id: user.id, username: 'SomeOne' },
      sentAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      idempotencyKey: 'key',
    })
    await client.close()
  })

  test('reaches every socket of every user once, whether the message came by HTTP or by socket', async () => {
    await using service = await startService()
    const [a, b] = [await service.account('user-a'), await service.account('user-b')]
    const clients = await Promise.all([a, a, b].map(({ token }) => connect(service.url, token)))
    clients[0]?.send({ message: 'by socket' })
    await clients[0]?.next()
    expect((await send(service, b.token, 'by HTTP')).status).toBe(200)
    await send(service, b.token, 'end')
    const received = await Promise.all(clients.map((client) => readUntil(client, 'end')))
    expect(received.map((frames) => frames.map(({ message }) => message))).toEqual([
      ['by HTTP', 'end'],
      ['by socket', 'by HTTP', 'end'],
      ['by socket', 'by HTTP', 'end'],
    ])
    for (const client of clients) await client.close()
  })

  test('comes in the same order for every client, which is the order of the history', async () => {
    await using service = await startService()
    const { token } = await service.account('someone')
    const clients = await Promise.all([1, 2, 3].map(() => connect(service.url, token)))
    for (let i = 0; i < 20; i++)
      for (const [at, client] of clients.entries()) client.send({ message: `${at} ${i}` })
    const received: unknown[][] = []
    for (const client of clients) {
      const ids: unknown[] = []
      for (let i = 0; i < 60; i++) ids.push((await client.next()).id)
      received.push(ids)
    }
    expect(received[1]).toEqual(received[0] as unknown[])
    expect(received[2]).toEqual(received[0] as unknown[])
    const { messages } = await history(service, token, '?limit=100')
    expect(messages.map(({ id }) => id)).toEqual(received[0] as string[])
    for (const at of [0, 1, 2]) {
      const own = messages.map(({ message }) => message).filter((text) => text.startsWith(`${at} `))
      expect(own).toEqual(Array.from({ length: 20 }, (_, i) => `${at} ${i}`))
    }
    for (const client of clients) await client.close()
  })

  test('is on disk before a client receives it and before the response to its sender', async () => {
    await using service = await startService()
    const { token } = await service.account('someone')
    using file = service.openFile()
    const stored = () => file.query<{ n: number }, []>('select count(*) as n from messages').get()?.n
    const counts: unknown[] = []
    service.storage.messageLog.subscribe(() => counts.push(stored()))
    await send(service, token, 'one')
    expect(stored()).toBe(1)
    await send(service, token, 'two')
    expect(stored()).toBe(2)
    expect(counts).toEqual([1, 2])
  })
})

describe('an error frame', () => {
  test('goes to the socket that sent the frame, and to no other socket of the user', async () => {
    await using service = await startService()
    const { token } = await service.account('someone')
    const [sender, other] = [await connect(service.url, token), await connect(service.url, token)]
    sender.send({ message: '', idempotencyKey: 'key' })
    expect(await sender.next()).toMatchObject({ event: 'error', idempotencyKey: 'key' })
    sender.send({ message: 'valid' })
    expect((await other.next()).message).toBe('valid')
    expect((await sender.next()).message).toBe('valid')
    await Promise.all([sender.close(), other.close()])
  })

  test('has the key of the frame that it refuses, and none if the frame has no valid key', async () => {
    await using service = await startService()
    const { token } = await service.account('someone')
    const client = await connect(service.url, token)
    client.send({ message: 'first', idempotencyKey: 'used' })
    await client.next()
    client.send({ message: 'another', idempotencyKey: 'used' })
    expect(await client.next()).toMatchObject({
      idempotencyKey: 'used',
      problem: { code: 'idempotency-key-reused' },
    })
    client.send({ channel: 'lobby', message: 'a', idempotencyKey: 'unused' })
    expect(await client.next()).toMatchObject({
      idempotencyKey: 'unused',
      problem: { code: 'validation-failed' },
    })
    client.send({ message: 'a', idempotencyKey: 'not valid' })
    expect(await client.next()).not.toHaveProperty('idempotencyKey')
    await client.close()
  })

  test('means that the message is not stored, and that no client receives it', async () => {
    await using service = await startService({ RATE_LIMITS: 'on', RATE_LIMIT_SEND: '1/60' })
    const [sender, reader] = [await service.account('sender'), await service.account('reader')]
    const [client, observer] = [
      await connect(service.url, sender.token),
      await connect(service.url, reader.token),
    ]
    client.send({ message: 'admitted' })
    expect((await client.next()).message).toBe('admitted')
    client.send({ message: 'refused', idempotencyKey: 'key' })
    const refusal = await client.next()
    expect(refusal).toMatchObject({ event: 'error', problem: { code: 'rate-limit-exceeded' } })
    expect(refusal.idempotencyKey).toBe('key')
    expect(refusal.retryAfter).toBeGreaterThan(0)
    expect(refusal.retryAfter).toBeLessThanOrEqual(60)
    await send(service, reader.token, 'end')
    expect((await readUntil(observer, 'end')).map(({ message }) => message)).toEqual(['admitted', 'end'])
    expect(textsOf(await history(service, reader.token))).toEqual(['admitted', 'end'])
    await Promise.all([client.close(), observer.close()])
  })
})

describe('a repeated message', () => {
  test('is confirmed to the socket that repeats it and to no other, and is not broadcast again', async () => {
    await using service = await startService()
    const { token } = await service.account('someone')
    const [sender, other] = [await connect(service.url, token), await connect(service.url, token)]
    sender.send({ message: 'once', idempotencyKey: 'key' })
    const { id } = await sender.next()
    sender.send({ message: 'once', idempotencyKey: 'key' })
    expect(await sender.next()).toEqual({ event: 'stored', id, idempotencyKey: 'key' })
    sender.send({ message: 'end' })
    expect((await readUntil(sender, 'end')).map(({ event }) => event)).toEqual(['message'])
    const frames = await readUntil(other, 'end')
    expect(frames.map(({ event, message }) => [event, message])).toEqual([
      ['message', 'once'],
      ['message', 'end'],
    ])
    await Promise.all([sender.close(), other.close()])
  })

  test('has the same response over HTTP, with the location of the stored message', async () => {
    await using service = await startService()
    const { token } = await service.account('someone')
    const client = await connect(service.url, token)
    client.send({ message: 'once', idempotencyKey: 'key' })
    const { id } = await client.next()
    for (const key of ['key', '"key"']) {
      const response = await send(service, token, 'once', key)
      expect(response.status).toBe(200)
      expect(response.headers.get('content-location')).toContain(String(id))
    }
    expect(await outcome(send(service, token, 'another', 'key'))).toEqual([422, 'idempotency-key-reused'])
    expect(textsOf(await history(service, token))).toEqual(['once'])
    await client.close()
  })

  test('is another message if another user sends it with the same key', async () => {
    await using service = await startService()
    const [a, b] = [await service.account('user-a'), await service.account('user-b')]
    expect((await send(service, a.token, 'first', 'key')).status).toBe(200)
    expect((await send(service, b.token, 'second', 'key')).status).toBe(200)
    expect(textsOf(await history(service, a.token))).toEqual(['first', 'second'])
  })
})

describe('a ping frame', () => {
  test('is answered on its own socket, and is counted under its own policy', async () => {
    await using service = await startService({
      RATE_LIMITS: 'on',
      RATE_LIMIT_SEND: '2/60',
      RATE_LIMIT_PING: '3/60',
    })
    const { token } = await service.account('someone')
    const client = await connect(service.url, token)
    for (let i = 0; i < 3; i++) {
      client.send({ event: 'ping' })
      expect(await client.next()).toEqual({ event: 'pong' })
    }
    client.send({ event: 'ping' })
    expect(await client.next()).toMatchObject({ problem: { code: 'rate-limit-exceeded' } })
    for (const message of ['one', 'two']) {
      client.send({ message })
      expect(await client.next()).toMatchObject({ event: 'message', message })
    }
    await client.close()
  })
})

describe('a client that resumes', () => {
  test('receives what it missed once and in order, then caught-up, then live messages', async () => {
    await using service = await startService()
    const { token } = await service.account('someone')
    for (let i = 0; i < 250; i++) await send(service, token, `m${i}`)
    const { messages } = await history(service, token, '?limit=200')
    const after = messages[0]?.id
    const client = await connect(service.url, token, { path: `/?after=${after}` })
    const received = await readUntil(client, 'm249')
    expect(received.map(({ id }) => id)).toEqual(messages.slice(1).map(({ id }) => id))
    expect(await client.next()).toEqual({ event: 'caught-up', cursor: String(messages.at(-1)?.id) })
    await send(service, token, 'live')
    expect((await client.next()).message).toBe('live')
    await client.close()
  })

  test('with the cursor of another server receives a gap and all stored messages', async () => {
    await using service = await startService()
    const { token } = await service.account('someone')
    const empty = (await history(service, token)).head
    await send(service, token, 'one')
    const client = await connect(service.url, token, { path: '/?after=zzzzzzzz-00000000001' })
    const { messages } = await history(service, token)
    expect(await client.next()).toEqual({ event: 'gap', oldest: String(messages[0]?.id), cursor: empty })
    expect((await client.next()).message).toBe('one')
    expect((await client.next()).event).toBe('caught-up')
    await client.close()
  })
})

test('pages of the history continue in their direction, and a foreign cursor is gone', async () => {
  await using service = await startService()
  const { token } = await service.account('someone')
  for (const message of ['one', 'two', 'three', 'four']) await send(service, token, message)
  const newest = await history(service, token, '?limit=3')
  expect(textsOf(newest)).toEqual(['two', 'three', 'four'])
  const older = await history(service, token, `?limit=3&before=${newest.next}`)
  expect([textsOf(older), older.next]).toEqual([['one'], null])
  const forward = await history(service, token, `?limit=2&after=${older.messages[0]?.id}`)
  expect(textsOf(forward)).toEqual(['two', 'three'])
  const last = await history(service, token, `?limit=2&after=${forward.next}`)
  expect([textsOf(last), last.next, last.head]).toEqual([['four'], null, String(last.messages[0]?.id)])
  const foreign = service.get('/api/chats/messages?after=zzzzzzzz-00000000001', token)
  expect(await outcome(foreign)).toEqual([410, 'cursor-gone'])
})
