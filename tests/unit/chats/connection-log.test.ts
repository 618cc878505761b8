import { expect, test } from 'bun:test'
import { connect } from '../support/chat-client.ts'
import { type Service, startService } from '../support/service.ts'

type Line = Record<string, unknown>

/** The lines of closed connections, once there are `count`. */
async function closedLines(service: Service, count: number): Promise<Line[]> {
  for (;;) {
    const lines = service.lines
      .map((line) => JSON.parse(line) as Line)
      .filter(({ msg }) => msg === 'connection closed')
    if (lines.length >= count) return lines
    await Bun.sleep(5)
  }
}

test('the line has the user, the handshake, the client and the frames', async () => {
  await using service = await startService()
  const { user, token } = await service.account('someone')
  const client = await connect(service.url, token)
  client.send({ message: 'one' })
  client.send('not JSON')
  client.send({ message: 'two' })
  for (const _ of [1, 2, 3]) await client.next()
  await client.close()
  const [line] = await closedLines(service, 1)
  const handshake = service.lines.map((each) => JSON.parse(each) as Line).find(({ status }) => status === 101)
  expect(line).toMatchObject({
    level: 30,
    requestId: handshake?.requestId,
    client: '127.0.0.1',
    user: user.id,
    seconds: expect.any(Number),
    framesReceived: 3,
    // Two broadcasts and one error frame.
    framesSent: 3,
  })
  expect(line).not.toHaveProperty('closeName')
  expect(handshake).toMatchObject({ user: user.id, client: '127.0.0.1' })
})

test('the frames include replayed messages, and no broadcast before the connection', async () => {
  await using service = await startService()
  const { token } = await service.account('someone')
  const first = await connect(service.url, token)
  first.send({ message: 'one' })
  const { id } = await first.next()
  for (const message of ['two', 'three']) {
    first.send({ message })
    await first.next()
  }
  const second = await connect(service.url, token, { path: `/?after=${id}` })
  for (const event of ['message', 'message', 'caught-up']) expect((await second.next()).event).toBe(event)
  const third = await connect(service.url, token)
  first.send({ message: 'four' })
  for (const client of [first, second, third]) await client.next()
  for (const client of [second, third]) await client.close()
  const lines = await closedLines(service, 2)
  expect(lines.map(({ framesReceived, framesSent }) => [framesReceived, framesSent])).toEqual([
    [0, 4],
    [0, 1],
  ])
  await first.close()
})

const closings = [
  {
    name: 'disconnected',
    frame: { event: 'disconnect' },
  },
  {
    name: 'binary-frame',
    frame: new Uint8Array([1]),
  },
]
for (const { name, frame } of closings) {
  test(`the line names the close code ${name}`, async () => {
    await using service = await startService()
    const { token } = await service.account('someone')
    const client = await connect(service.url, token)
    client.send(frame)
    const { code } = await client.closed
    expect(await closedLines(service, 1)).toEqual([
      expect.objectContaining({ closeCode: code, closeName: name, framesReceived: 1, framesSent: 0 }),
    ])
  })
}

test('the reason that a client sends is not logged, because it can be any text', async () => {
  await using service = await startService()
  const { token } = await service.account('someone')
  const options = { headers: { authorization: `Bearer ${token}` } } as unknown as string[]
  const socket = new WebSocket(service.url.replace('http', 'ws'), options)
  await new Promise((resolve) => socket.addEventListener('open', resolve))
  socket.close(4321, 'a secret reason')
  const [line] = await closedLines(service, 1)
  expect(line).toMatchObject({ closeCode: 4321 })
  expect(service.lines.join('')).not.toContain('a secret reason')
})
