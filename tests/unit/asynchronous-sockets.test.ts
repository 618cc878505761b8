import { describe, expect, test } from 'bun:test'
import { keepChangingAccounts, readHistory, startAsynchronous } from './support/asynchronous-service.ts'
import { connect } from './support/chat-client.ts'
import { refusedHandshake } from './support/raw-http.ts'
import { bearer } from './support/service.ts'

describe('over WebSocket', () => {
  test('the frames of one socket keep their order, up to the disconnect frame and not beyond', async () => {
    await using service = await startAsynchronous({ RATE_LIMITS: 'on', RATE_LIMIT_SEND: '1000/60' })
    const { user, token } = await service.account('sender')
    const reader = await service.account('reader')
    using _ = keepChangingAccounts(service, user.id)
    const observer = await connect(service.url, reader.token)
    const client = await connect(service.url, token)
    const frames = Array.from({ length: 50 }, (_, i): { frame: object | string; fails: boolean } => {
      if (i % 5 === 1) return { frame: { message: '', idempotencyKey: `key-${i}` }, fails: true }
      if (i % 5 === 3) return { frame: { event: `key-${i}`, idempotencyKey: `key-${i}` }, fails: true }
      return { frame: { message: `message ${i}`, idempotencyKey: `key-${i}` }, fails: false }
    })
    for (const { frame } of frames) client.send(frame)
    client.send({ event: 'disconnect' })
    for (let i = 0; i < 5; i++) client.send({ message: 'after the disconnect frame' })

    expect((await client.closed).code).toBe(1000)
    const keysOf = (fails: boolean) => frames.flatMap((each, i) => (each.fails === fails ? [`key-${i}`] : []))
    const received = client.received()
    const keysReceived = (event: string) =>
      received.filter((frame) => frame.event === event).map(({ idempotencyKey }) => idempotencyKey)
    expect(keysReceived('error')).toEqual(keysOf(true))
    expect(keysReceived('message')).toEqual(keysOf(false))
    const messages = keysOf(false).map((key) => key.replace('key-', 'message '))
    expect(await readHistory(service, reader.token)).toEqual(messages)
    for (const message of messages) expect((await observer.next()).message).toBe(message)
    await observer.close()
  })

  test('frames that follow one another in separate turns keep their order', async () => {
    await using service = await startAsynchronous({ RATE_LIMITS: 'on', RATE_LIMIT_SEND: '1000/60' })
    const { user, token } = await service.account('sender')
    using _ = keepChangingAccounts(service, user.id)
    const client = await connect(service.url, token)
    const messages = Array.from({ length: 60 }, (_, i) => `message ${i}`)
    for (const [i, message] of messages.entries()) {
      client.send({ message })
      if (i % 3 === 0) await Bun.sleep(i % 4)
    }
    for (const message of messages) expect((await client.next()).message).toBe(message)
    await client.close()
  })

  test('refused frames receive their error frames in order, and ten in a row close the connection', async () => {
    await using service = await startAsynchronous({ RATE_LIMITS: 'on', RATE_LIMIT_SEND: '3/60' })
    const { token } = await service.account('sender')
    const client = await connect(service.url, token)
    for (let i = 0; i < 30; i++) client.send({ message: `message ${i}`, idempotencyKey: `key-${i}` })
    expect(await client.closed).toEqual({ code: 1008, reason: 'rate-limit-exceeded' })
    const received = client.received()
    const refused = received.filter(({ event }) => event === 'error')
    expect(refused.map(({ idempotencyKey }) => idempotencyKey)).toEqual(
      Array.from({ length: 10 }, (_, i) => `key-${i + 3}`),
    )
    for (const { problem, retryAfter } of refused) {
      expect(problem).toMatchObject({ code: 'rate-limit-exceeded' })
      expect(retryAfter).toBeGreaterThan(0)
    }
    expect(received.filter(({ event }) => event === 'message').map(({ message }) => message)).toEqual([
      'message 0',
      'message 1',
      'message 2',
    ])
  })

  test('frames that arrived before a binary frame are handled before the connection is closed', async () => {
    await using service = await startAsynchronous({ RATE_LIMITS: 'on', RATE_LIMIT_SEND: '1000/60' })
    const { token } = await service.account('sender')
    const client = await connect(service.url, token)
    const messages = Array.from({ length: 10 }, (_, i) => `message ${i}`)
    for (const message of messages) client.send({ message })
    client.send(new TextEncoder().encode('{"message":"binary"}'))
    expect((await client.closed).code).toBe(1003)
    expect(await readHistory(service, token)).toEqual(messages)
    expect(client.received().map(({ message }) => message)).toEqual(messages)
  })

  test('frames that arrived before the client closed the connection are stored', async () => {
    await using service = await startAsynchronous({ RATE_LIMITS: 'on', RATE_LIMIT_SEND: '1000/60' })
    const { token } = await service.account('sender')
    const client = await connect(service.url, token)
    const messages = Array.from({ length: 10 }, (_, i) => `message ${i}`)
    for (const message of messages) client.send({ message })
    await client.close()
    let stored: string[] = []
    while (stored.length < messages.length) stored = await readHistory(service, token)
    expect(stored).toEqual(messages)
  })

  test('a client that resumes receives each message once and in order, while others send', async () => {
    await using service = await startAsynchronous({})
    const { token } = await service.account('sender')
    const client = await connect(service.url, token)
    const messages = Array.from({ length: 450 }, (_, i) => `message ${i}`)
    for (const message of messages.slice(0, 350)) client.send({ message })
    const first = await client.next()
    for (let i = 1; i < 350; i++) await client.next()
    const resumed = await connect(service.url, token, { path: `/?after=${first.id}` })
    for (const [i, message] of messages.slice(350).entries()) {
      client.send({ message })
      if (i % 10 === 0) await Bun.sleep(1)
    }
    const received: unknown[] = []
    while (received.length < messages.length - 1) {
      const { event, message } = await resumed.next()
      if (event !== 'caught-up') received.push(message)
    }
    expect(received).toEqual(messages.slice(1))
    await Promise.all([client.close(), resumed.close()])
  })

  test('handshakes are counted, and the sockets of a removed account are closed', async () => {
    await using service = await startAsynchronous({ RATE_LIMITS: 'on', RATE_LIMIT_CONNECT: '2/60' })
    const { user, token } = await service.account('someone')
    const clients = [await connect(service.url, token), await connect(service.url, token)]
    const refused = await refusedHandshake(service.url, bearer(token))
    expect([refused.status, refused.headers.ratelimit]).toEqual([
      429,
      expect.stringMatching(/^"connect";r=0;t=\d+$/),
    ])
    await service.storage.users.remove(user.id, { eraseMessages: false })
    for (const client of clients) {
      expect(await client.closed).toEqual({ code: 3000, reason: 'account-removed' })
    }
  })
})
