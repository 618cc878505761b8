import { expect, test } from 'bun:test'
import type { Storage } from '../../../src/open-storage.ts'
import { connect } from '../support/chat-client.ts'
import { startService } from '../support/service.ts'

/** A storage that, while it is stalled, does not answer questions about accounts. */
function createStall() {
  let stalled: PromiseWithResolvers<void> | undefined
  let version = 0
  return {
    wrapStorage: (storage: Storage): Storage => ({
      ...storage,
      users: {
        ...storage.users,
        // No identity is taken from the cache.
        version: () => ++version,
        async find(id) {
          await stalled?.promise
          return storage.users.find(id)
        },
      },
    }),
    start: () => {
      stalled = Promise.withResolvers<void>()
    },
    end: () => stalled?.resolve(),
  }
}

test('while the storage stalls, a client can make only a limited number of frames wait, and none of them is lost', async () => {
  const stall = createStall()
  await using service = await startService({}, { wrapStorage: stall.wrapStorage })
  const { token } = await service.account('sender')
  const [client, reader] = [await connect(service.url, token), await connect(service.url, token)]
  stall.start()
  const messages = Array.from({ length: 2000 }, (_, i) => `${i} ${'a'.repeat(900)}`)
  for (const message of messages) client.send({ message })
  // The frames that arrived after the limit were not accepted, although the client has sent all of them.
  await Bun.sleep(1000)
  stall.end()
  expect(await client.closed).toMatchObject({ code: 1011 })
  const stored: unknown[] = []
  while (reader.received().length > 0) stored.push((await reader.next()).message)
  expect(stored.length).toBeGreaterThan(500)
  expect(stored.length).toBeLessThan(1000)
  expect(stored).toEqual(messages.slice(0, stored.length))
  await reader.close()
})

test('the length of frames that have been handled no longer counts', async () => {
  const stall = createStall()
  await using service = await startService({}, { wrapStorage: stall.wrapStorage })
  const { token } = await service.account('sender')
  const client = await connect(service.url, token)
  for (let i = 0; i < 1500; i++) {
    const message = `${i} ${'a'.repeat(900)}`
    client.send({ message })
    if (i % 100 === 99) {
      for (let received = 0; received < 100; received++) await client.next()
    }
  }
  await client.close()
})
