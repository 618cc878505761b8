import { expect, test } from 'bun:test'
import { connect } from '../support/chat-client.ts'
import { startService } from '../support/service.ts'

test('an admitted frame in between starts the count of refused frames again', async () => {
  await using service = await startService({
    RATE_LIMITS: 'on',
    RATE_LIMIT_SEND: '1/600',
    RATE_LIMIT_PING: '100/600',
  })
  const { token } = await service.account('sender')
  const client = await connect(service.url, token)
  client.send({ message: 'within the limit' })
  expect((await client.next()).event).toBe('message')
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 9; i++) client.send({ message: 'beyond the limit' })
    for (let i = 0; i < 9; i++) expect((await client.next()).event).toBe('error')
    client.send({ event: 'ping' })
    expect((await client.next()).event).toBe('pong')
  }
  await client.close()
})
