import { expect, test } from 'bun:test'
import { bearer, startService } from './support/service.ts'

test('a stop waits for a message that is being stored, and its sender receives the response', async () => {
  const storing = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  const service = await startService(
    {},
    {
      wrapStorage: ({ messageLog, ...storage }) => ({
        ...storage,
        messageLog: {
          ...messageLog,
          async append(message) {
            storing.resolve()
            await released.promise
            await messageLog.append(message)
          },
        },
      }),
    },
  )
  const { token } = await service.account('someone')
  const sent = service.post('/api/chats/send', { message: 'Hello' }, bearer(token))
  await storing.promise
  let stopped = false
  const stopping = service[Symbol.asyncDispose]().then(() => {
    stopped = true
  })
  await Bun.sleep(50)
  expect(stopped).toBe(false)
  const readiness = await service.get('/readyz')
  expect(readiness.status).toBe(503)
  expect(await readiness.json()).toMatchObject({ code: 'shutting-down', reasons: ['draining'] })
  expect((await service.get('/livez')).status).toBe(200)
  released.resolve()
  expect((await sent).status).toBe(200)
  await stopping
})
