import { expect, test } from 'bun:test'
import { startService } from '../unit/support/service.ts'
import { newUser, until } from './support/restartable-service.ts'
import { createRoom, entriesOf, fast, namesOf, of } from './support/room-chats.ts'

test('the operations of rooms are methods, and lists are read page by page', async () => {
  await using service = await startService()
  const [ada, bob] = [await newUser(service.url), await newUser(service.url)]
  const { room } = await ada.client.createRoom({ name: 'Reading club', members: [bob.username] })
  expect((await bob.client.getRoom({ room: room.id })).room).toEqual(room)
  await ada.client.updateRoom({ room: room.id, name: 'Book club' })
  await ada.client.setMember({ room: room.id, username: bob.username, role: 'owner' })
  const members = []
  for await (const page of bob.client.members({ room: room.id, limit: 1 })) members.push(page)
  expect(members.map((page) => page.map(({ role }) => role))).toEqual([['owner'], ['owner']])
  const { room: direct } = await bob.client.openDirectRoom({ username: ada.username })
  const rooms = []
  for await (const page of ada.client.rooms({ limit: 1 })) rooms.push(...page)
  expect(rooms.map(({ id }) => id).toSorted()).toEqual([room.id, direct.id].toSorted())
  await ada.client.createRoom({ name: 'Town square', public: true })
  const publicRooms = []
  for await (const page of bob.client.rooms({ scope: 'public' })) publicRooms.push(...page)
  expect(publicRooms.map(({ name }) => name)).toEqual(['Town square'])
  await ada.client.sendMessage({ message: 'to the room', room: room.id })
  await ada.client.sendMessage({ message: 'to all' })
  const history: string[] = []
  for await (const page of bob.client.history({ room: room.id }))
    history.push(...page.map((each) => each.message))
  expect(history).toEqual(['to the room'])
  await ada.client.removeMember({ room: room.id, username: bob.username })
  await ada.client.removeRoom({ room: room.id })
  expect(await ada.client.getRoom({ room: room.id }).catch((error: unknown) => error)).toMatchObject({
    code: 'not-found',
  })
})

test('a chat knows its rooms when it opens, and follows the events', async () => {
  await using service = await startService()
  const [ada, bob] = [await newUser(service.url), await newUser(service.url)]
  const before = await createRoom(ada.client, 'before', [bob.username])
  const cleo = await newUser(service.url)
  await ada.client.setMember({ room: before, username: cleo.username })
  await using chat = bob.client.chat(fast)
  const entries = entriesOf(chat)
  const sizes: number[] = []
  chat.on('rooms', ({ size }) => sizes.push(size))
  await chat.opened()
  expect(namesOf(chat)).toEqual(['before'])
  await cleo.client.removeMember({ room: before, username: cleo.username })
  await until(() => of(entries, before).includes(`left ${cleo.username}`))
  expect(namesOf(chat)).toEqual(['before'])
  const room = await createRoom(ada.client, 'first name', [bob.username])
  await until(() => chat.rooms.has(room))
  await ada.client.updateRoom({ room, name: 'second name' })
  await until(() => chat.rooms.get(room)?.name === 'second name')
  await ada.client.removeMember({ room, username: bob.username })
  await until(() => !chat.rooms.has(room))
  await ada.client.updateRoom({ room, name: 'third name' })
  await ada.client.removeRoom({ room: before })
  await until(() => chat.rooms.size === 0)
  expect(of(entries, room)).toEqual([`joined ${bob.username}`, 'room-changed', `left ${bob.username}`])
  expect(sizes[0]).toBe(1)
})

test('a message is sent to its room, and the others receive it there', async () => {
  await using service = await startService()
  const [ada, bob, eve] = [await newUser(service.url), await newUser(service.url), await newUser(service.url)]
  const room = await createRoom(ada.client, 'two', [bob.username])
  await using first = ada.client.chat(fast)
  await using second = bob.client.chat(fast)
  await using third = eve.client.chat(fast)
  await using lobby = bob.client.chat()
  const [received, foreign, plain] = [entriesOf(second), entriesOf(third), entriesOf(lobby)]
  await Promise.all([first, second, third, lobby].map((chat) => chat.opened()))
  const stored = await first.send('secret', { room })
  expect(stored.room).toBe(room)
  await first.send('for all')
  await until(() => [received, foreign, plain].every((entries) => of(entries, undefined).includes('for all')))
  expect(of(received, room)).toEqual(['secret'])
  expect([of(foreign, room), of(plain, room)]).toEqual([[], []])
  const refused = await third.send('let me in', { room }).catch((error: unknown) => error)
  expect(refused).toMatchObject({ code: 'not-found', outcome: 'not-done' })
  const withoutRooms = await lobby.send('hello', { room }).catch((error: unknown) => error)
  expect(withoutRooms).toMatchObject({ code: 'not-found', outcome: 'not-done' })
})

test('one key in several rooms and in the lobby identifies a message in each', async () => {
  await using service = await startService()
  const { client } = await newUser(service.url)
  const rooms = [await createRoom(client, 'a'), await createRoom(client, 'b')]
  await using chat = client.chat({ ...fast, window: 9 })
  const places = [...rooms, undefined]
  const idempotencyKey = 'same-key'
  const send = () =>
    Promise.all([
      ...places.map((room) => chat.send('same text', { room, idempotencyKey })),
      chat
        .send('nowhere', { room: 'x'.repeat((rooms[0] as string).length), idempotencyKey })
        .catch((error: unknown) => error),
    ])
  const sent = await send()
  expect(sent.slice(0, 3).map((each) => (each as { room?: string }).room)).toEqual(places)
  expect(sent[3]).toMatchObject({ outcome: 'not-done' })
  // The server answers with `stored`, and the client reads the message of the right room.
  expect((await send()).slice(0, 3)).toEqual(sent.slice(0, 3))
})
