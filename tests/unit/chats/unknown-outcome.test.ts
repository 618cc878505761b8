import { expect, test } from 'bun:test'
import type { Storage } from '../../../src/open-storage.ts'
import { OutcomeUnknown } from '../../../src/storage/errors.ts'
import { connect } from '../support/chat-client.ts'
import { bearer, outcome, startService } from '../support/service.ts'

/** A storage that stores the first message, and then loses the connection. */
function createLoss() {
  let losses = 1
  return (storage: Storage): Storage => ({
    ...storage,
    messageLog: {
      ...storage.messageLog,
      async append(message) {
        await storage.messageLog.append(message)
        if (losses-- > 0) throw new OutcomeUnknown(new Error('connection lost'))
      },
    },
  })
}

test('a send whose outcome is unknown is a 500, and a repetition with the key stores the message once', async () => {
  await using service = await startService({}, { wrapStorage: createLoss() })
  const { token } = await service.account('someone')
  const headers = { ...bearer(token), 'idempotency-key': '"key"' }
  const send = () => service.post('/api/chats/send', { message: 'once' }, headers)
  expect(await outcome(send())).toEqual([500, 'internal-error'])
  expect((await send()).status).toBe(200)
  const page = await service.get('/api/chats/messages', token)
  expect(((await page.json()) as { messages: unknown[] }).messages).toHaveLength(1)
})

test('a frame whose outcome is unknown is answered by an error frame, and a repetition by "stored"', async () => {
  await using service = await startService({}, { wrapStorage: createLoss() })
  const { token } = await service.account('someone')
  const client = await connect(service.url, token)
  client.send({ message: 'once', idempotencyKey: 'key' })
  expect(await client.next()).toMatchObject({ event: 'message', message: 'once' })
  expect(await client.next()).toMatchObject({
    event: 'error',
    idempotencyKey: 'key',
    problem: { code: 'internal-error' },
  })
  client.send({ message: 'once', idempotencyKey: 'key' })
  expect(await client.next()).toMatchObject({ event: 'stored', idempotencyKey: 'key' })
  await client.close()
})
