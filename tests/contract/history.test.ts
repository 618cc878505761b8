import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { createAccount, documentedAccount, uniqueName } from './support/accounts.ts'
import { contract, operationOf } from './support/contract.ts'
import { call, idIn } from './support/http-client.ts'
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
  const { event, cursor } = await socket.next()
  expect(event).toBe('gap')
  expect(await socket.next()).toEqual({ event: 'caught-up', cursor })
  const page = await call(fresh, 'listMessages', { token: account.token })
  expect(page.body).toEqual({ messages: [], next: null, head: cursor })
  const fromHead = await connect(fresh, { ...account, after: page.body.head })
  expect(await fromHead.next()).toEqual({ event: 'caught-up', cursor })
  await call(fresh, 'sendMessage', { token: account.token, body: { message: 'Hello, world!' } })
  const message = await socket.next()
  const { body } = await call(fresh, 'listMessages', { token: account.token })
  expect(body.messages).toEqual([message])
  expect(body.head).toBe(message.id)
  expect(await fromHead.next()).toEqual(message)
  const resumed = await connect(fresh, { ...account, after: cursorOfAnotherLog })
  const gap = await resumed.next()
  expect(gap.oldest).toBe(message.id)
  expect(await resumed.next()).toEqual(message)
  const fromGap = await connect(fresh, { ...account, after: gap.cursor })
  expect(await fromGap.next()).toEqual(message)
  expect(await fromGap.next()).toEqual({ event: 'caught-up', cursor: message.id })
  for (const one of [socket, resumed, fromHead, fromGap]) one.close()
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
  expect(await resumed.next()).toEqual(missed)
  expect(await resumed.next()).toEqual({ event: 'caught-up', cursor: missed.id })
  const live = await socket.turn(JSON.stringify({ message: uniqueName() }))
  expect(await resumed.next()).toEqual(live)
  socket.close()
  resumed.close()
})

test('an idempotency key stores the same message once and is rejected with another message', async () => {
  const account = await createAccount(main)
  const socket = await connect(main, account)
  const message = uniqueName()
  const headers = { 'idempotency-key': '"once"' }
  const first = await call(main, 'sendMessage', { token: account.token, headers, body: { message } })
  const again = await call(main, 'sendMessage', { token: account.token, headers, body: { message } })
  expect(idIn(again)).toBe(idIn(first))
  await call(main, 'sendMessage', {
    token: account.token,
    headers,
    body: { message: 'x' },
    expect: 'idempotency-key-reused',
  })
  const other = await connect(main, account)
  // The socket that sent nothing receives the message once; the repeated one is reported only to its sender.
  const repeated = JSON.stringify({ message, idempotencyKey: 'once' })
  const stored = { event: 'stored', id: idIn(first), idempotencyKey: 'once' }
  socket.send(JSON.parse(repeated))
  expect(await socket.next(({ event }) => event === 'stored')).toEqual(stored)
  const last = await socket.turn(JSON.stringify({ message: uniqueName() }))
  expect(await other.next()).toEqual(last)
  expect(socket.frames.filter((frame) => frame.message === message)).toHaveLength(1)
  socket.close()
  other.close()
})

test('every user can read a sent message at its Content-Location, for as long as it is stored', async () => {
  const [sender, reader] = [await createAccount(fresh), await createAccount(fresh)]
  const socket = await connect(fresh, sender)
  const sent = await call(fresh, 'sendMessage', { token: sender.token, body: { message: uniqueName() } })
  const path = { id: idIn(sent) }
  const frame = await socket.next()
  for (const { token } of [sender, reader])
    expect((await call(fresh, 'getMessage', { token, path })).body).toEqual(frame)
  const database = new Database(join(fresh.dataDir, 'parley.sqlite'))
  database.run('DELETE FROM messages')
  database.close()
  await call(fresh, 'getMessage', { token: sender.token, path, expect: 'not-found' })
  socket.close()
})
