import { expect, test } from 'bun:test'
import { textsOf } from '../../storage/support/message-logs.ts'
import { openOtherConnection, openSqliteLog } from '../../storage/support/sqlite.ts'
import { connect } from '../support/chat-client.ts'
import { bearer, startService, temporaryFolder } from '../support/service.ts'

test('a message that is sent while a client is still resuming arrives once, after the missed ones', async () => {
  const reading = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  await using service = await startService(
    {},
    {
      wrapStorage: ({ messageLog, ...storage }) => ({
        ...storage,
        messageLog: {
          ...messageLog,
          async readAfter(cursor, limit) {
            reading.resolve()
            await released.promise
            return messageLog.readAfter(cursor, limit)
          },
        },
      }),
    },
  )
  const { token } = await service.account('someone')
  const send = (message: string) => service.post('/api/chats/send', { message }, bearer(token))
  const after = service.storage.messageLog.head()
  await send('missed')
  const client = await connect(service.url, token, { path: `/?after=${after}` })
  await reading.promise
  await send('sent during the replay')
  released.resolve()
  const texts = [await client.next(), await client.next()].map(({ message }) => message)
  expect(texts).toEqual(['missed', 'sent during the replay'])
  expect((await client.next()).event).toBe('caught-up')
  await send('live')
  expect((await client.next()).message).toBe('live')
  await client.close()
})

test('no page contains a row that has not been broadcast', async () => {
  await using folder = await temporaryFolder()
  await using opened = openSqliteLog(folder.path)
  await opened.append('broadcast')
  using other = openOtherConnection(folder.path)
  other.run(`insert into messages (sequence, user_id, sent_at, frame)
    select sequence + 1, user_id, sent_at, frame from messages`)
  expect(await textsOf(opened.log.readAfter(undefined, 10))).toEqual(['broadcast'])
  expect(await textsOf(opened.log.readAfter(opened.log.head(), 10))).toEqual([])
})
