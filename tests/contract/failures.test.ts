import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { type Account, createAccount, uniqueName } from './support/accounts.ts'
import { contract } from './support/contract.ts'
import { type Call, call, rejectedHandshake } from './support/http-client.ts'
import { validRequest } from './support/requests.ts'
import { type Service, startServer } from './support/server.ts'
import { connect } from './support/socket-client.ts'
import { setUpTestFile } from './support/test-file.ts'

setUpTestFile()

/** The operations that change the database. */
const writing = new Set([
  'registerUser',
  'logoutUser',
  'changePassword',
  'deleteProfile',
  'sendMessage',
  'createRoom',
  'updateRoom',
  'removeRoom',
  'setMember',
  'removeMember',
  'openDirectRoom',
])

/** A request for every operation, which succeeds on a server that works. */
async function everyOperation(service: Service, account: Account): Promise<[string, Call][]> {
  const requests: [string, Call][] = []
  for (const { id, scheme } of contract.operations) {
    const { token, ...request } = await validRequest(service, id, account, { fails: true })
    requests.push([id, { ...request, token: scheme ? token : undefined }])
  }
  return requests
}

test('without its tables the server returns 500 and does not disclose the cause', async () => {
  await using server = await startServer('broken-storage')
  const account = await createAccount(server)
  const { token } = account
  const requests = await everyOperation(server, account)
  const socket = await connect(server, { token })
  const database = new Database(join(server.dataDir, 'parley.sqlite'))
  database.run('ALTER TABLE messages RENAME TO messages_away')
  const resumed = await connect(server, { token, after: 'elsewher-0000000002a' })
  await resumed.closed('internal-error')
  database.run('ALTER TABLE users RENAME TO users_away')
  database.close()
  for (const [operation, request] of requests)
    await call(server, operation, { ...request, expect: 'internal-error' })
  await rejectedHandshake(server, { token, expect: 'internal-error' })
  socket.close()
})

test('while another process locks the database nothing is stored, and afterwards the server recovers', async () => {
  await using server = await startServer('locked-storage')
  const account = await createAccount(server)
  const { token } = account
  const requests = await everyOperation(server, account)
  const socket = await connect(server, { token })
  const database = new Database(join(server.dataDir, 'parley.sqlite'))
  database.run('BEGIN IMMEDIATE')
  for (const [operation, request] of requests.filter(([operation]) => writing.has(operation))) {
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
  const account = await createAccount(server)
  const { token } = account
  const requests = await everyOperation(server, account)
  await Bun.write(join(server.dataDir, 'busy'), '')
  for (const [operation, request] of requests)
    await call(server, operation, { ...request, expect: 'storage-unavailable' })
  await rejectedHandshake(server, { token, expect: 'storage-unavailable' })
})

test('while it stops, the server rejects new requests and closes its WebSockets', async () => {
  await using server = await startServer('stopping', { DRAIN_SECONDS: '3' })
  const account = await createAccount(server)
  const { token } = account
  const requests = await everyOperation(server, account)
  const sockets = [await connect(server, { token }), await connect(server, { token })] as const
  server.process.kill('SIGTERM')
  await sockets[0].closed('restart')
  for (const [operation, request] of requests)
    await call(server, operation, { ...request, expect: 'shutting-down' })
  await rejectedHandshake(server, { token, expect: 'shutting-down' })
  await sockets[1].closed('restart')
  expect(await server.process.exited).toBe(0)
})

test('when the queue of password hashes is full, further requests are rejected immediately', async () => {
  await using server = await startServer('crowded-hashing')
  const accounts = [await createAccount(server), await createAccount(server), await createAccount(server)]
  const wrong = { currentPassword: 'not the password', newPassword: 'a long password' }
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
  // With less than the failures that are free, so that none is throttled.
  const expected = { expect: 'hashing-overloaded?|wrong-password' }
  const changes = accounts.flatMap(({ token }) => [
    call(server, 'changePassword', { token, body: wrong, ...expected }),
    call(server, 'deleteProfile', { token, body: { password: wrong.currentPassword }, ...expected }),
  ])
  const statuses = (await Promise.all([...attempts, ...changes])).map(({ status }) => status)
  expect(statuses).toContain(503)
})
