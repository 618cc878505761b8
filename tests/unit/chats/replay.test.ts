import { expect, test } from 'bun:test'
import { type ChatClient, connect } from '../support/chat-client.ts'
import { bearer, type Service, startService } from '../support/service.ts'

const numbered = (count: number) => Array.from({ length: count }, (_, i) => `message ${i + 1}`)

/** Stores messages, and returns their ids in order. */
async function store(service: Service, messages: readonly string[]): Promise<string[]> {
  const ids: string[] = []
  const user = { id: 'an author', username: 'Author' }
  service.storage.messageLog.subscribe(({ id }) => ids.push(id))
  await Promise.all(
    messages.map((message) =>
      service.storage.messageLog.append({ user, message, idempotencyKey: undefined }),
    ),
  )
  return ids
}

/** Reads frames until the replay has ended. */
async function readReplay(client: ChatClient) {
  const frames: Awaited<ReturnType<ChatClient['next']>>[] = []
  for (;;) {
    const frame = await client.next()
    frames.push(frame)
    if (frame.event === 'caught-up') return frames
  }
}

const textsOf = (frames: readonly { event: string; message?: unknown }[]) =>
  frames.filter(({ event }) => event === 'message').map(({ message }) => message)

// A page has 100 messages.
for (const count of [1, 99, 100, 101, 199, 200, 201, 350]) {
  test(`a client that missed ${count} messages receives each once, in order, then caught-up`, async () => {
    await using service = await startService()
    const { token } = await service.account('reader')
    const messages = numbered(count + 1)
    const ids = await store(service, messages)
    const client = await connect(service.url, token, { path: `/?after=${ids[0]}` })
    const frames = await readReplay(client)
    expect(textsOf(frames)).toEqual(messages.slice(1))
    expect(frames.at(-1)).toEqual({ event: 'caught-up', cursor: ids.at(-1) })
    // Every further message is live.
    await service.post('/api/chats/send', { message: 'live' }, bearer(token))
    expect((await client.next()).message).toBe('live')
    await client.close()
  })
}

test('a client that missed nothing receives caught-up at once, also on an empty log', async () => {
  await using service = await startService()
  const { token } = await service.account('reader')
  const page = (await (await service.get('/api/chats/messages', token)).json()) as { head: string }
  const client = await connect(service.url, token, { path: `/?after=${page.head}` })
  expect(await client.next()).toEqual({ event: 'caught-up', cursor: page.head })
  await service.post('/api/chats/send', { message: 'first' }, bearer(token))
  expect((await client.next()).message).toBe('first')
  await client.close()
})

test('a client without a cursor receives neither a replay nor caught-up', async () => {
  await using service = await startService()
  const { token } = await service.account('reader')
  await store(service, numbered(3))
  const client = await connect(service.url, token)
  await service.post('/api/chats/send', { message: 'live' }, bearer(token))
  expect((await client.next()).message).toBe('live')
  await client.close()
})

test('the cursor of a gap leads to the oldest stored message, without a second gap', async () => {
  await using service = await startService()
  const { token } = await service.account('reader')
  const messages = numbered(150)
  await store(service, messages)
  const client = await connect(service.url, token, { path: '/?after=elsewher-0000000002a' })
  const [gap, ...rest] = await readReplay(client)
  expect(gap?.event).toBe('gap')
  expect(textsOf(rest)).toEqual(messages)
  const again = await connect(service.url, token, { path: `/?after=${gap?.cursor}` })
  const frames = await readReplay(again)
  expect(frames.filter(({ event }) => event === 'gap')).toEqual([])
  expect(textsOf(frames)).toEqual(messages)
  await Promise.all([client.close(), again.close()])
})

test('many clients that resume at once each receive everything, and reads do not overlap', async () => {
  let reading = 0
  let most = 0
  await using service = await startService(
    { MAX_SOCKETS_PER_USER: '100' },
    {
      wrapStorage: (storage) => ({
        ...storage,
        messageLog: {
          ...storage.messageLog,
          async readAfter(cursor, limit) {
            most = Math.max(most, ++reading)
            await Bun.sleep(1)
            reading--
            return storage.messageLog.readAfter(cursor, limit)
          },
        },
      }),
    },
  )
  const { token } = await service.account('reader')
  const messages = numbered(250)
  const ids = await store(service, messages)
  const clients = await Promise.all(
    Array.from({ length: 20 }, () => connect(service.url, token, { path: `/?after=${ids[0]}` })),
  )
  const replays = await Promise.all(clients.map(readReplay))
  for (const frames of replays) expect(textsOf(frames)).toEqual(messages.slice(1))
  expect(most).toBe(1)
  await Promise.all(clients.map((client) => client.close()))
})

test('a replay pauses while the client does not read, and continues afterwards', async () => {
  await using service = await startService({ SOCKET_BUFFER_BYTES: '65536' })
  const { token } = await service.account('reader')
  // Far more than the buffers of the operating system hold.
  const messages = Array.from({ length: 4000 }, (_, i) => `${i} `.padEnd(4096, 'x'))
  const ids = await store(service, messages)
  const { connect: connectTcp } = await import('node:net')
  const { hostname, port } = new URL(service.url)
  const socket = connectTcp({ host: hostname, port: Number(port) }, () => {
    socket.write(
      `GET /?after=${ids[0]} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n` +
        `Authorization: Bearer ${token}\r\n\r\n`,
    )
    socket.pause()
  })
  await Bun.sleep(300)
  let received = 0
  let text = ''
  const done = new Promise<void>((resolve, reject) => {
    socket.on('close', () => reject(new Error('The connection was closed')))
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length
      text = (text + chunk.toString('latin1')).slice(-8192)
      if (text.includes('"caught-up"')) resolve()
    })
  })
  socket.resume()
  await done
  expect(received).toBeGreaterThan(3999 * 4096)
  socket.removeAllListeners('close')
  socket.destroy()
})
