import { expect, test } from 'bun:test'
import type { ChatClient } from '../support/chat-client.ts'
import { startRoomService } from '../support/room-service.ts'

/** A short form of the next frames, through the message to all users that ends with `!`. */
async function framesThrough(client: ChatClient, last: string): Promise<string[]> {
  const texts: string[] = []
  for (;;) {
    const frame = await client.next()
    const { username = '' } = (frame.user ?? {}) as { username?: string }
    const text = frame.event === 'message' ? frame.message : `${frame.event} ${frame.role ?? ''} ${username}`
    if (text === last) return texts
    texts.push(String(text).replaceAll(/ +/g, ' ').trim())
  }
}

test('only members receive the messages of a room, and only on connections with rooms=mine', async () => {
  await using service = await startRoomService()
  const [ada, bob, eve] = await service.users('ada', 'bob', 'eve')
  const room = await ada.create({ members: ['bob'] })
  const clients = [await ada.connect(), await bob.connect(), await bob.connect(''), await eve.connect()]
  await ada.send('in the room', room)
  await bob.send('also in the room', room)
  await eve.send('end')
  const received = await Promise.all(clients.map((client) => framesThrough(client, 'end')))
  expect(received).toEqual([['in the room', 'also in the room'], ['in the room', 'also in the room'], [], []])
  for (const client of clients) await client.close()
})

test('a user receives a room from the own joined event through the own left event', async () => {
  await using service = await startRoomService()
  const [ada, bob] = await service.users('ada', 'bob')
  const room = await ada.create({})
  const client = await bob.connect()
  await ada.send('before', room)
  await ada.add(room, 'bob')
  await ada.send('while', room)
  await ada.remove(room, 'BOB')
  await ada.send('after', room)
  await ada.send('end')
  expect(await framesThrough(client, 'end')).toEqual(['joined member bob', 'while', 'left bob'])
  await client.close()
})

test('a resume delivers what an uninterrupted connection has received, with the cursors of both kinds', async () => {
  await using service = await startRoomService()
  const [ada, bob] = await service.users('ada', 'bob')
  const uninterrupted = await bob.connect()
  const { body } = await bob.call('GET', '/api/chats/messages')
  const room = await ada.create({})
  for (const step of [
    () => ada.send('not visible', room),
    () => ada.add(room, 'bob'),
    () => ada.send('one', room),
    () => ada.send('to all'),
    () => bob.leave(room),
    () => ada.send('not visible either', room),
    () => ada.add(room, 'bob', 'owner'),
    () => ada.call('PATCH', `/api/rooms/${room}`, { name: 'Renamed' }),
    () => ada.remove(room, 'bob'),
    () => ada.send('end'),
  ])
    expect((await step()).status).toBe(200)
  const expected = await framesThrough(uninterrupted, 'end')
  expect(expected).toEqual([
    'joined member bob',
    'one',
    'to all',
    'left bob',
    'joined owner bob',
    'room-changed',
    'left bob',
  ])
  const resumed = await bob.connect(`?rooms=mine&after=${body.head}`)
  expect(await framesThrough(resumed, 'end')).toEqual(expected)
  expect((await resumed.next()).event).toBe('caught-up')
  const lobby = await bob.connect(`?after=${body.head}`)
  expect(await framesThrough(lobby, 'end')).toEqual(['to all'])
  for (const client of [uninterrupted, resumed, lobby]) await client.close()
})

test('in a room with more than 200 members, only the user concerned receives the event, also in a resume', async () => {
  await using service = await startRoomService()
  const [ada, bob, eve] = await service.users('ada', 'bob', 'eve')
  const room = await ada.create({ public: true })
  for (let index = 0; index < 199; index++) {
    const user = await service.user(`member-${index}`)
    await service.storage.messageLog.change({
      kind: 'set-member',
      by: { id: user.id, username: user.username },
      room,
      username: user.username,
      role: undefined,
    })
  }
  const { head } = (await ada.call('GET', '/api/chats/messages')).body
  const [watcher, own] = [await ada.connect(), await bob.connect()]
  await bob.join(room)
  await eve.join(room)
  await eve.leave(room)
  await ada.send('end')
  const resumed = await ada.connect(`?rooms=mine&after=${head}`)
  const resumedOwn = await bob.connect(`?rooms=mine&after=${head}`)
  for (const client of [watcher, resumed]) expect(await framesThrough(client, 'end')).toEqual([])
  for (const client of [own, resumedOwn])
    expect(await framesThrough(client, 'end')).toEqual(['joined member bob'])
  for (const client of [watcher, own, resumed, resumedOwn]) await client.close()
})

test('a removed room ends for all of its members', async () => {
  await using service = await startRoomService()
  const [ada, bob] = await service.users('ada', 'bob')
  const room = await ada.create({ members: ['bob'] })
  const client = await bob.connect()
  await ada.send('last', room)
  expect((await ada.call('DELETE', `/api/rooms/${room}`)).status).toBe(200)
  expect((await ada.send('too late', room)).status).toBe(404)
  expect((await ada.call('GET', `/api/rooms/${room}`)).status).toBe(404)
  await ada.send('end')
  expect(await framesThrough(client, 'end')).toEqual(['last', 'room-removed'])
  expect((await bob.call('GET', '/api/rooms')).body.rooms).toEqual([])
  await client.close()
})
