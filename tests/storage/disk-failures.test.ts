import { expect, test } from 'bun:test'
import { skipsDiskFaults, withFlushes } from '../fixtures/flushes.ts'
import { startChild } from '../unit/support/child.ts'
import { connectSender } from '../unit/support/sender.ts'
import { temporaryFolder } from '../unit/support/service.ts'

test.skipIf(skipsDiskFaults)('while a slow disk stores a message, other requests are answered', async () => {
  await using folder = await temporaryFolder()
  await using service = await startChild({
    launcher: withFlushes('delay_enter=1000000'),
    environment: { DATA_DIR: folder.path },
  })
  const client = await connectSender(service.url)
  // The service finds out that the disk is slow.
  for (const message of ['1', '2']) expect(await client.send(message)).toBe(200)
  const answered: string[] = []
  const sent = client.send('3').then((status) => void answered.push(`send ${status}`))
  for (let index = 0; index < 3; index++) {
    await client.get('/api/users/profile').then(({ status }) => void answered.push(`profile ${status}`))
  }
  expect(await client.texts()).toEqual(['1', '2'])
  await sent
  expect(answered).toEqual(['profile 200', 'profile 200', 'profile 200', 'send 200'])
})

test.skipIf(skipsDiskFaults)(
  'a disk that fails is reported, and every confirmed message is there after a restart',
  async () => {
    await using folder = await temporaryFolder()
    const environment = { DATA_DIR: folder.path, NODE_ENV: 'production' }
    const confirmed: string[] = []
    {
      await using service = await startChild({ launcher: withFlushes('error=EIO:when=2+'), environment })
      const client = await connectSender(service.url)
      const statuses: number[] = []
      for (let index = 1; index <= 4; index++) {
        const status = await client.send(`message ${index}`)
        statuses.push(status)
        if (status === 200) confirmed.push(`message ${index}`)
      }
      expect(statuses).toEqual([200, 500, 503, 503])
      const readiness = await client.get('/readyz')
      expect([readiness.status, await readiness.json()]).toMatchObject([503, { reasons: ['storage-lost'] }])
      expect((await client.get('/api/users/profile')).status).toBe(200)
      const output = await service.stop()
      const fatal = output.split('\n').filter((line) => line.includes('"level":60'))
      expect(fatal).toHaveLength(1)
      expect(fatal[0]).toContain('The disk did not store the last changes')
    }
    await using service = await startChild({ environment })
    const client = await connectSender(service.url)
    expect(await client.send('after the restart')).toBe(200)
    const texts = await client.texts()
    // The message with status 500 may be there. Those with status 503 are not.
    expect(texts.filter((text) => text !== 'message 2')).toEqual([...confirmed, 'after the restart'])
  },
)
