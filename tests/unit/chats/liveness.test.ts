import { expect, test } from 'bun:test'
import { connect as connectTcp } from 'node:net'
import { closeAfterSeconds } from '../../../src/contract/frames.ts'
import { startClockChild } from '../support/clock-child.ts'
import { handshakeHeaders, requestHead } from '../support/raw-http.ts'
import { bearer } from '../support/service.ts'

const pingOpcode = 0x89

/** Opens a WebSocket that never sends anything, not even the response to a ping. */
function openSilentSocket(url: string, token: string) {
  const { hostname, port } = new URL(url)
  const received: Buffer[] = []
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  const socket = connectTcp({ host: hostname, port: Number(port) }, () =>
    socket.write(requestHead('GET', '/', { ...handshakeHeaders, ...bearer(token) })),
  )
  socket.on('data', (chunk: Buffer) => received.push(chunk))
  socket.on('error', () => {})
  socket.on('close', () => resolve())
  return { closed, bytes: () => Buffer.concat(received) }
}

// A monotonic clock that runs thirty times as fast turns the minute of silence into two seconds.
test('on a busy chat, a client that never responds is pinged, disconnected, and its slot is free', async () => {
  await using service = await startClockChild({ RATE_LIMITS: 'off', MAX_SOCKETS_PER_USER: '1' })
  const [silent, busy] = [await service.account('silent'), await service.account('busy')]
  const first = openSilentSocket(service.url, silent)
  while (!first.bytes().includes('101 Switching')) await Bun.sleep(5)
  await service.setClock(0, 30)
  const sends: Promise<Response>[] = []
  const chatter = setInterval(() => {
    sends.push(service.post('/api/chats/send', { message: 'hello' }, bearer(busy)))
  }, 50)
  await first.closed
  clearInterval(chatter)
  // The service must not end before the last response.
  await Promise.all(sends)
  const bytes = first.bytes()
  expect(bytes.includes('hello')).toBe(true)
  expect(bytes.includes(Buffer.from([pingOpcode, 0]))).toBe(true)
  const second = openSilentSocket(service.url, silent)
  while (second.bytes().length === 0) await Bun.sleep(5)
  expect(second.bytes().toString('latin1')).toContain('101 Switching')
})

test('a client that only responds to pings, or only sends, stays connected', async () => {
  await using service = await startClockChild({ RATE_LIMITS: 'off' })
  const token = await service.account('someone')
  const open = async () => {
    const socket = new WebSocket(service.url.replace('http', 'ws'), {
      headers: bearer(token),
    } as unknown as string[])
    await new Promise((resolve) => {
      socket.onopen = resolve
    })
    return socket
  }
  const [quiet, talking] = [await open(), await open()]
  let closed = 0
  for (const socket of [quiet, talking]) socket.onclose = () => closed++
  await service.setClock(0, 30)
  const pings = setInterval(() => talking.send('{"event":"ping"}'), 200)
  // Three times the permitted silence on the accelerated clock.
  await Bun.sleep((closeAfterSeconds * 3000) / 30)
  clearInterval(pings)
  expect(closed).toBe(0)
  for (const socket of [quiet, talking]) socket.close()
}, 300_000)
