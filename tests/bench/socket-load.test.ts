import { expect, test } from 'bun:test'
import { startSocketLoad } from '../../bench/processes.ts'

test('each socket sends a heartbeat when it has received the frame', async () => {
  const sockets = 3
  const heartbeats: unknown[] = []
  const { promise: allSent, resolve } = Promise.withResolvers<void>()
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: (request, server) =>
      server.upgrade(request, { data: undefined }) ? undefined : new Response(null, { status: 426 }),
    websocket: {
      open: (socket) => void socket.subscribe('chat'),
      message: (_, text) => void server.publish('chat', text),
      pong(socket) {
        if (heartbeats.push(socket) === sockets) resolve()
      },
    },
  })
  const load = await startSocketLoad()
  const endpoint = { port: server.port ?? 0, path: '/' }
  await load.execute({ type: 'open', count: sockets, endpoint, tokens: [] })
  const { sent, received } = await load.execute({ type: 'heartbeat', frame: 'hello' })
  expect({ sent, received }).toEqual({ sent: 1, received: sockets })
  await allSent
  await Promise.all([load.stop(), server.stop(true)])
  expect(new Set(heartbeats).size).toBe(sockets)
})
