import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { createAccount, uniqueName } from './support/accounts.ts'
import { type Call, call, idIn, rejectedHandshake } from './support/http-client.ts'
import { type Service, startServer } from './support/server.ts'
import { connect } from './support/socket-client.ts'
import { setUpTestFile } from './support/test-file.ts'

setUpTestFile()

const everyOperation = (token: string, id: string): [string, Call][] => [
  ['registerUser', { body: { username: uniqueName(), password: 'correct horse battery staple' } }],
  ['loginUser', { body: { username: uniqueName(), password: 'x' } }],
  ['getProfile', { token }],
  ['sendMessage', { token, body: { message: 'x' } }],
  ['listMessages', { token }],
  ['getMessage', { token, path: { id } }],
]

async function sentMessage(service: Service, token: string): Promise<string> {
  return idIn(await call(service, 'sendMessage', { token, body: { message: uniqueName() } }))
}

test('without its tables the server returns 500 and does not disclose the cause', async () => {
  await using server = await startServer('broken-storage')
  const { token } = await createAccount(server)
  const id = await sentMessage(server, token)
  const socket = await connect(server, { token })
  const database = new Database(join(server.dataDir, 'parley.sqlite'))
  database.run('ALTER TABLE messages RENAME TO messages_away')
  const resumed = await connect(server, { token, after: 'elsewher-0000000002a' })
  await resumed.closed('internal-error')
  database.run('ALTER TABLE users RENAME TO users_away')
  database.close()
  for (const [operation, request] of everyOperation(token, id))
    await call(server, operation, { ...request, expect: 'internal-error' })
  await rejectedHandshake(server, { token, expect: 'internal-error' })
  socket.close()
})

test('while another process locks the database nothing is stored, and afterwards the server recovers', async () => {
  await using server = await startServer('locked-storage')
  const { token } = await createAccount(server)
  const id = await sentMessage(server, token)
  const socket = await connect(server, { token })
  const database = new Database(join(server.dataDir, 'parley.sqlite'))
  database.run('BEGIN IMMEDIATE')
  for (const [operation, request] of everyOperation(token, id).filter(
    ([operation]) => operation === 'registerUser' || operation === 'sendMessage',
  )) {
    await call(server, operation, { ...request, expect: 'storage-unavailable' })
  }
  await socket.turn('{"message":"Hello, world!"}', 'storage-unavailable')
  database.run('ROLLBACK')
  database.close()
  await call(server, 'sendMessage', { token, body: { message: 'back again' } })
  socket.close()
})

test('while the database cannot be read either, every operation returns storage-unavailable', async () => {
  await using server = await startServer('busy-storage (below the wire)', {}, 'raised', 'busy-storage.ts')
  const { token } = await createAccount(server)
  const id = await sentMessage(server, token)
  await Bun.write(join(server.dataDir, 'busy'), '')
  for (const [operation, request] of everyOperation(token, id))
    await call(server, operation, { ...request, expect: 'storage-unavailable' })
  await rejectedHandshake(server, { token, expect: 'storage-unavailable' })
})

test('while it stops, the server rejects new requests and closes its WebSockets', async () => {
  await using server = await startServer('stopping', { DRAIN_SECONDS: '3' })
  const { token } = await createAccount(server)
  const id = await sentMessage(server, token)
  const sockets = [await connect(server, { token }), await connect(server, { token })] as const
  server.process.kill('SIGTERM')
  await sockets[0].closed('restart')
  for (const [operation, request] of everyOperation(token, id))
    await call(server, operation, { ...request, expect: 'shutting-down' })
  await rejectedHandshake(server, { token, expect: 'shutting-down' })
  await sockets[1].closed('restart')
  expect(await server.process.exited).toBe(0)
})

test('when the queue of password hashes is full, further requests are rejected immediately', async () => {
  await using server = await startServer('crowded-hashing')
  const attempts = Array.from({ length: 100 }, (_, index) => {
    const username = uniqueName()
    return index % 2 === 0
      ? call(server, 'registerUser', {
          body: { username, password: 'correct horse battery staple' },
          expect: 'hashing-overloaded?',
        })
      : call(server, 'loginUser', {
          body: { username, password: 'x' },
          expect: 'hashing-overloaded?|invalid-credentials',
        })
  })
  const statuses = (await Promise.all(attempts)).map(({ status }) => status)
  expect(statuses).toContain(503)
})
