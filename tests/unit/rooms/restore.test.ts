import { expect, setDefaultTimeout, test } from 'bun:test'
import { join } from 'node:path'
import { runJson } from '../support/command.ts'
import { type Restored, startIn } from '../support/restores.ts'
import { createRoomUser } from '../support/room-service.ts'
import { temporaryFolder } from '../support/service.ts'

// The test starts several processes, which takes longer than the default timeout on a busy machine.
setDefaultTimeout(180_000)

test('a restored backup has the rooms, and a client whose messages were lost receives a gap and all entries', async () => {
  await using folder = await temporaryFolder()
  const [dataDir, backup] = [join(folder.path, 'data'), join(folder.path, 'backup.sqlite')]
  let [token, room, cursor] = ['', '', '']
  {
    await using service = await startIn(dataDir)
    await service.register('ada')
    token = await service.logIn('ada')
    const ada = createRoomUser(service, 'ada', token, '')
    room = await ada.create({ name: 'Room' })
    await ada.send('kept', room)
    await runJson(['backup', backup], { dataDir })
    await ada.send('lost', room)
    cursor = (await ada.call('GET', '/api/chats/messages')).body.head
    await service.stop()
  }
  const restored = await runJson<Restored>(['restore', backup], { dataDir })
  expect(restored).toMatchObject({ accounts: 1, messages: 1, newEpoch: true })
  await using service = await startIn(dataDir)
  const ada = createRoomUser(service, 'ada', token, '')
  const history = (await ada.call('GET', `/api/chats/messages?room=${room}`)).body
  expect(history.messages.map(({ message }) => message)).toEqual(['kept'])
  const client = await ada.connect(`?rooms=mine&after=${cursor}`)
  const frames = [await client.next(), await client.next(), await client.next(), await client.next()]
  expect(frames.map(({ event }) => event)).toEqual(['gap', 'joined', 'message', 'caught-up'])
  const [epoch = ''] = history.head.split('-')
  for (const { id, cursor: next } of frames) expect(String(id ?? next)).toStartWith(epoch)
  expect(cursor).not.toStartWith(epoch)
  await client.close()
  await service.stop()
})
