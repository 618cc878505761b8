import { expect, test } from 'bun:test'
import { createAccount, documentedAccount, uniqueName } from './support/accounts.ts'
import { contract, operationOf } from './support/contract.ts'
import { call } from './support/http-client.ts'
import { mainServer, startServer } from './support/server.ts'
import { connect } from './support/socket-client.ts'
import { setUpTestFile } from './support/test-file.ts'

setUpTestFile()
const main = await mainServer()
const fresh = await startServer('fresh')

const cursorOfAnotherLog = 'elsewher-0000000002a'
const pageSize = operationOf(contract, 'listMessages').query?.properties?.limit?.maximum ?? 0

test('resuming on an empty log sends a gap, and the first message is the newest page', async () => {
  const account = await documentedAccount(fresh)
  const socket = await connect(fresh, { ...account, after: cursorOfAnotherLog })
  expect((await socket.next()).event).toBe('gap')
  await call(fresh, 'sendMessage', { token: account.token, body: { message: 'Hello, world!' } })
  const message = await socket.next()
  const { body } = await call(fresh, 'listMessages', { token: account.token })
  expect(body.messages).toEqual([message])
  const resumed = await connect(fresh, { ...account, after: cursorOfAnotherLog })
  expect((await resumed.next()).oldest).toBe(message.id)
  expect(await resumed.next()).toEqual(message)
  socket.close()
  resumed.close()
})

test('pages continue in the requested direction and contain at most the maximum number of messages', async () => {
  const { token } = await createAccount(main)
  const texts = Array.from({ length: pageSize + 1 }, () => uniqueName())
  for (const message of texts) await call(main, 'sendMessage', { token, body: { message } })
  const newest = await call(main, 'listMessages', { token })
  expect(newest.body.next).toBeString()
  const largest = await call(main, 'listMessages', { token, query: { limit: String(pageSize) } })
  expect(largest.body.messages).toHaveLength(pageSize)
  const older = await call(main, 'listMessages', { token, query: { before: newest.body.next, limit: '3' } })
  expect(older.body.messages).toHaveLength(3)
  const after = older.body.messages.at(-1).id
  const back = await call(main, 'listMessages', { token, query: { after, limit: '3' } })
  expect(back.body.messages).toEqual(newest.body.messages.slice(0, 3))
  await call(main, 'listMessages', { token, query: { after, before: after }, expect: 'validation-failed' })
})

test('a WebSocket that resumes receives the missed messages in order, then new ones', async () => {
  const account = await createAccount(main)
  const socket = await connect(main, account)
  const first = await socket.turn(JSON.stringify({ message: uniqueName() }))
  const missed = await socket.turn(JSON.stringify({ message: uniqueName() }))
  const resumed = await connect(main, { ...account, after: first.id })
  expect(await resumed.next(({ user }) => user.username === account.username)).toEqual(missed)
  const live = await socket.turn(JSON.stringify({ message: uniqueName() }))
  expect(await resumed.next(({ user }) => user.username === account.username)).toEqual(live)
  socket.close()
  resumed.close()
})

test('an idempotency key stores the same message once and is rejected with another message', async () => {
  const account = await createAccount(main)
  const socket = await connect(main, account)
  const message = uniqueName()
  const headers = { 'idempotency-key': '"once"' }
  await call(main, 'sendMessage', { token: account.token, headers, body: { message } })
  await call(main, 'sendMessage', { token: account.token, headers, body: { message } })
  await call(main, 'sendMessage', {
    token: account.token,
    headers,
    body: { message: 'x' },
    expect: 'idempotency-key-reused',
  })
  await socket.turn(JSON.stringify({ message: uniqueName() }))
  expect(socket.frames.filter((frame) => frame.message === message)).toHaveLength(1)
  socket.close()
})
