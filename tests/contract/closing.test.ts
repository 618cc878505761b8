import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { createAccount } from './support/accounts.ts'
import { contract } from './support/contract.ts'
import {
  closeOf,
  openRawSocket,
  PING,
  type RawSocket,
  receivedBytes,
  textFrame,
  unmaskedFrame,
} from './support/raw-socket.ts'
import { mainServer, type Service, startServer } from './support/server.ts'
import { setClock } from './support/set-clock.ts'
import { checkClosed, checkSilence } from './support/socket-checks.ts'
import { connect } from './support/socket-client.ts'
import { setUpTestFile } from './support/test-file.ts'
import { recordTraffic, type Silence } from './support/traffic.ts'

setUpTestFile()
const main = await mainServer()
const shortTokens = await startServer('short-tokens', { TOKEN_TTL_SECONDS: '4' })
const frozen = await startServer('set-clock (below the wire)', {}, 'raised', 'set-clock.ts')
const smallBuffers = await startServer('small-buffers', { SOCKET_BUFFER_BYTES: '262144' })

test('a WebSocket is closed when its token expires', async () => {
  const socket = await connect(shortTokens, await createAccount(shortTokens))
  await socket.closed('token-expired')
})

test('after its account is removed, a WebSocket is closed at its next frame', async () => {
  const account = await createAccount(shortTokens)
  const socket = await connect(shortTokens, account)
  const database = new Database(join(shortTokens.dataDir, 'parley.sqlite'))
  database.run('PRAGMA foreign_keys = OFF')
  database.run('DELETE FROM users WHERE username = ?', [account.username])
  database.close()
  // The server notices what another program has committed a millisecond later at the latest.
  await Bun.sleep(5)
  socket.send({ message: 'Is anyone there?' })
  await socket.closed('account-removed')
})

test('a binary frame closes the WebSocket', async () => {
  const socket = await connect(main, await createAccount(main))
  socket.sendBytes(new Uint8Array([1, 2, 3]))
  await socket.closed('binary-frame')
})

test('a frame of the maximum size is accepted, and one that is a byte larger closes the WebSocket', async () => {
  const socket = await connect(main, await createAccount(main))
  const { maxFrameBytes } = contract.channel
  await socket.turn('{"message":"maximum size"}'.padEnd(maxFrameBytes))
  socket.sendText('{"message":"too large"}'.padEnd(maxFrameBytes + 1))
  await socket.closed('frame-too-large')
})

test('invalid UTF-8 in a text frame closes the WebSocket', async () => {
  const { token } = await createAccount(main)
  const socket = await openRawSocket(main, token)
  socket.tcp.write(textFrame(new Uint8Array([0xc3, 0x28])))
  expectClose(main, 'invalid-text', await closeOf(socket))
})

test('a frame that is not masked closes the WebSocket', async () => {
  const { token } = await createAccount(main)
  const socket = await openRawSocket(main, token)
  socket.tcp.write(unmaskedFrame(Buffer.from('{"event":"ping"}')))
  expectClose(main, 'protocol-error', await closeOf(socket))
})

test('a silent client is pinged, and then its connection ends; a client that responds stays', async () => {
  const { 'ping-after-seconds': ping, 'close-after-seconds': close } = contract.channel.liveness
  const account = await createAccount(frozen)
  // The second client connects a second later. Each sweep checks both, so the first one shows when it is over.
  setClock(frozen.dataDir, 0)
  const first = await openRawSocket(frozen, account.token)
  setClock(frozen.dataDir, 1)
  const second = await openRawSocket(frozen, account.token)
  const responding = await connect(frozen, account)

  setClock(frozen.dataDir, ping)
  await observe(first, ping, 'ping')
  expect(second.received.includes(PING)).toBe(false)
  recordSilence(second, ping - 1, 'nothing')
  setClock(frozen.dataDir, ping + 1)
  await observe(second, ping, 'ping')
  await responding.turn('{"event":"ping"}')

  setClock(frozen.dataDir, close)
  await observe(first, close, 'end')
  await observe(second, close - 1, 'ping')
  setClock(frozen.dataDir, close + 1)
  await observe(second, close, 'end')
  expectClose(frozen, 'silent-client', await closeOf(first))
  expectClose(frozen, 'silent-client', await closeOf(second))
  await responding.turn('{"event":"ping"}')
  responding.close()
})

/** Waits until the server pings the client or ends the connection. */
async function observe(socket: RawSocket, seconds: number, expected: 'ping' | 'end'): Promise<void> {
  const before = socket.received.length
  const { ended } = await receivedBytes(
    socket,
    (bytes) => expected === 'ping' && bytes.subarray(before).includes(PING),
  )
  recordSilence(socket, seconds, ended ? 'end' : 'ping')
}

function recordSilence(socket: RawSocket, seconds: number, observed: Silence['observed']): void {
  const event: Silence = { kind: 'silence', server: frozen.name, socket: socket.name, seconds, observed }
  recordTraffic(event)
  expect(checkSilence(contract, event)).toEqual([])
}

test('a client that does not read is disconnected, and other clients are not affected', async () => {
  const account = await createAccount(smallBuffers)
  const stalled = await openRawSocket(smallBuffers, account.token)
  stalled.tcp.pause()
  const other = await connect(smallBuffers, account)
  const message = '😀'.repeat(4096)
  // More than fits into the kernel buffers of both ends and the buffer of the server together.
  const messageCount = 700
  for (let sent = 0; sent < messageCount; sent++) {
    other.send({ message })
    await other.next()
  }
  stalled.tcp.resume()
  expectClose(smallBuffers, 'slow-reader', await closeOf(stalled))
  other.close()
})

function expectClose(service: Service, cause: string, end: { code: number; reason: string }): void {
  const closed = { kind: 'closed', server: service.name, socket: 'raw', cause, ...end } as const
  recordTraffic(closed)
  expect(checkClosed(contract, closed)).toEqual([])
}
