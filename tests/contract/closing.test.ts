import { Database } from 'bun:sqlite'
import { afterAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import { createAccount } from './support/accounts.ts'
import { contract } from './support/contract.ts'
import { judgeClosed } from './support/judge.ts'
import { closeOf, openRawSocket, textFrame } from './support/raw-socket.ts'
import { mainServer, type Service, startServer, stopServers } from './support/server.ts'
import { connect } from './support/socket-client.ts'
import { record } from './support/traffic.ts'

afterAll(stopServers)
const main = await mainServer()
const brief = await startServer('short-tokens', { TOKEN_TTL_SECONDS: '2' })
const small = await startServer('small-buffers', { SOCKET_BUFFER_BYTES: '262144' })

test('a socket whose token expires is closed', async () => {
  const socket = await connect(brief, await createAccount(brief))
  await socket.closed('token-expired')
})

test('a socket whose account is removed is closed with its next frame', async () => {
  const account = await createAccount(brief)
  const socket = await connect(brief, account)
  const database = new Database(join(brief.dataDir, 'parley.sqlite'))
  database.run('PRAGMA foreign_keys = OFF')
  database.run('DELETE FROM users WHERE username = ?', [account.username])
  database.close()
  socket.send({ message: 'Is anyone there?' })
  await socket.closed('account-removed')
})

test('a binary frame closes the socket', async () => {
  const socket = await connect(main, await createAccount(main))
  socket.sendBytes(new Uint8Array([1, 2, 3]))
  await socket.closed('binary-frame')
})

test('a frame of the largest size is read, and one byte more closes the socket', async () => {
  const socket = await connect(main, await createAccount(main))
  const { maxFrameBytes } = contract.channel
  await socket.turn('{"message":"as large as it may be"}'.padEnd(maxFrameBytes))
  socket.sendText('{"message":"too large"}'.padEnd(maxFrameBytes + 1))
  await socket.closed('frame-too-large')
})

test('text that is not UTF-8 closes the socket', async () => {
  const { token } = await createAccount(main)
  const socket = await openRawSocket(main, token)
  socket.write(textFrame(new Uint8Array([0xc3, 0x28])))
  judgeClose(main, 'invalid-text', await closeOf(socket))
})

test('a client that does not read is cut off, and the others notice nothing', async () => {
  const account = await createAccount(small)
  const stuck = await openRawSocket(small, account.token)
  stuck.pause()
  const other = await connect(small, account)
  const message = '😀'.repeat(4096)
  // More than the kernel's buffers of both ends and the server's own take together.
  const all = 700
  for (let sent = 0; sent < all; sent++) {
    other.send({ message })
    await other.next()
  }
  stuck.resume()
  judgeClose(small, 'slow-reader', await closeOf(stuck))
  other.close()
})

function judgeClose(service: Service, cause: string, end: { code: number; reason: string }): void {
  const closed = { kind: 'closed', server: service.name, socket: 'raw', cause, ...end } as const
  record(closed)
  expect(judgeClosed(contract, closed)).toEqual([])
}
