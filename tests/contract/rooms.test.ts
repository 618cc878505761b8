import { describe, expect, test } from 'bun:test'
import { type Account, createAccount, documentedAccount, uniqueName } from './support/accounts.ts'
import { contract, operationOf } from './support/contract.ts'
import { type Call, call, idIn } from './support/http-client.ts'
import { createRoom, validRequest } from './support/requests.ts'
import { insertMembers, insertRooms, insertUsers } from './support/room-seeds.ts'
import { mainServer, startServer } from './support/server.ts'
import { connect } from './support/socket-client.ts'
import { setUpTestFile } from './support/test-file.ts'

setUpTestFile()
const main = await mainServer()

const exampleBody = (id: string, name: string) =>
  operationOf(contract, id).body?.examples?.[name]?.value ?? null

describe('the examples of rooms, verbatim', () => {
  test('the documented user creates, renames, leaves and removes rooms, and receives their events', async () => {
    await using server = await startServer('rooms')
    const user = await documentedAccount(server)
    const { token, username } = user
    const other = await createAccount(server, 'otheruser')
    const socket = await connect(server, { ...user, rooms: true })
    const after = (await call(server, 'listMessages', { token })).body.head

    const hidden = (
      await call(server, 'createRoom', { token, body: exampleBody('createRoom', 'documented') })
    ).body.room
    const path = { room: hidden.id }
    await call(server, 'listMembers', { token, path })
    await call(server, 'updateRoom', { token, path, body: { name: 'Writing club' } })
    await call(server, 'updateRoom', { token, path, body: exampleBody('updateRoom', 'documented') })
    await call(server, 'sendMessage', { token, body: { message: 'Hello, world!', room: hidden.id } })
    expect(
      (await call(server, 'listMessages', { token, query: { room: hidden.id } })).body.messages,
    ).toHaveLength(1)
    await call(server, 'removeMember', { token, path: { ...path, username } })

    const open = await createRoom(server, other, { public: true, name: 'Reading club' })
    const member = { token: other.token, path: { room: open, username } }
    await call(server, 'setMember', { ...member, body: exampleBody('setMember', 'documented') })
    await call(server, 'listRooms', { token })
    await call(server, 'getRoom', { token, path: { room: open } })
    await call(server, 'setMember', { ...member, body: exampleBody('setMember', 'owner') })
    await call(server, 'updateRoom', { token, path: { room: open }, body: { name: 'Writing club' } })
    const rename = { token, path: { room: open }, body: exampleBody('updateRoom', 'documented') }
    await call(server, 'updateRoom', rename)
    await call(server, 'removeRoom', { token, path: { room: open } })
    await call(server, 'createRoom', { token, body: exampleBody('createRoom', 'public') })
    await call(server, 'openDirectRoom', { token, path: { username: other.username } })

    await call(server, 'sendMessage', { token, body: { message: 'the end' } })
    await socket.next(({ message }) => message === 'the end')
    const resumed = await connect(server, { ...user, rooms: true, after })
    await resumed.next(({ event }) => event === 'caught-up')
    expect(resumed.frames.slice(0, -1)).toEqual(socket.frames)
    for (const one of [socket, resumed]) one.close()
  })

  test('a room that does not exist takes no message', async () => {
    const account = await documentedAccount(main)
    const body = exampleBody('sendMessage', 'room')
    await call(main, 'sendMessage', { token: account.token, body, expect: 'not-found' })
    const socket = await connect(main, account)
    const frames = contract.channel.messages.find(({ name }) => name === 'send')?.examples
    const frame = frames?.find(({ name }) => name === 'room')?.payload
    await socket.turn(JSON.stringify(frame), 'not-found')
    socket.close()
  })

  test('an idempotency key creates one room', async () => {
    const { token } = await createAccount(main)
    const headers = { 'idempotency-key': '"one-room"' }
    const first = await call(main, 'createRoom', { token, headers, body: { name: 'Room' } })
    const again = await call(main, 'createRoom', { token, headers, body: { name: 'Room' } })
    expect(again.body).toEqual(first.body)
    const body = { name: 'Another room' }
    await call(main, 'createRoom', { token, headers, body, expect: 'idempotency-key-reused' })
    const members = [uniqueName()]
    await call(main, 'createRoom', { token, body: { ...body, members }, expect: 'not-found' })
  })
})

interface Roles {
  readonly room: string
  readonly owner: Account
  readonly member: Account
  readonly former: Account
  readonly stranger: Account
}

async function createRoles(settings: object = {}): Promise<Roles> {
  const [owner, member, former, stranger] = await Promise.all([
    createAccount(main),
    createAccount(main),
    createAccount(main),
    createAccount(main),
  ])
  const members = [member.username, former.username]
  const room = await createRoom(main, owner, { ...settings, members })
  await call(main, 'removeMember', { token: former.token, path: { room, username: former.username } })
  return { room, owner, member, former, stranger }
}

/** Every operation on a room that only reads, or that a user who is not an owner must not succeed with. */
function requestsFor({ room, owner, member }: Roles): [id: string, request: Call][] {
  return [
    ['getRoom', { path: { room } }],
    ['listMembers', { path: { room } }],
    ['listMessages', { query: { room } }],
    ['sendMessage', { body: { message: 'x', room } }],
    ['updateRoom', { path: { room }, body: { name: 'x' } }],
    ['removeRoom', { path: { room } }],
    ['setMember', { path: { room, username: owner.username }, body: { role: 'member' } }],
    ['setMember', { path: { room, username: member.username }, body: { role: 'owner' } }],
    ['removeMember', { path: { room, username: owner.username } }],
  ]
}

describe('access to a room', () => {
  test('strangers and former members get the same bytes as for a room that does not exist', async () => {
    const roles = await createRoles()
    const { former, stranger } = roles
    const missing = requestsFor({ ...roles, room: 'q3Zk0w8Yh2mX5tB1vR7nLA' })
    for (const [index, [id, request]] of requestsFor(roles).entries()) {
      for (const { token } of [former, stranger]) {
        const hidden = await call(main, id, { ...request, token, expect: 'not-found' })
        const absent = await call(main, id, { ...missing[index]?.[1], token, expect: 'not-found' })
        const withoutId = ({ body }: { body: object }) => ({ ...body, requestId: '', instance: '' })
        expect(withoutId(hidden)).toEqual(withoutId(absent))
        expect(Object.keys(hidden.headers)).toEqual(Object.keys(absent.headers))
      }
    }
    const sent = await call(main, 'sendMessage', {
      token: roles.owner.token,
      body: { message: 'x', room: roles.room },
    })
    const path = { id: idIn(sent) }
    await call(main, 'getMessage', { token: roles.member.token, path })
    for (const { token } of [former, stranger])
      await call(main, 'getMessage', { token, path, expect: 'not-found' })
  })

  test('members read and send, and only owners do more', async () => {
    const roles = await createRoles()
    const { token } = roles.member
    const allowed = new Set(['getRoom', 'listMembers', 'listMessages', 'sendMessage'])
    for (const [id, request] of requestsFor(roles)) {
      await call(main, id, { ...request, token, ...(!allowed.has(id) && { expect: 'not-owner' }) })
    }
    const path = { room: roles.room, username: roles.owner.username }
    await call(main, 'setMember', {
      token: roles.owner.token,
      path,
      body: { role: 'member' },
      expect: 'last-owner',
    })
  })

  test('every user may see and join a public room, and nothing else', async () => {
    const roles = await createRoles({ public: true })
    const { room } = roles
    const { token, username } = roles.stranger
    for (const [id, request] of requestsFor(roles)) {
      const expect =
        { sendMessage: 'not-found', getRoom: '', listMembers: '', listMessages: '' }[id] ?? 'not-owner'
      await call(main, id, { ...request, token, ...(expect !== '' && { expect }) })
    }
    await call(main, 'setMember', { token, path: { room, username }, body: {} })
    await call(main, 'sendMessage', { token, body: { message: 'x', room } })
    expect((await call(main, 'listRooms', { token, query: { scope: 'mine' } })).body.rooms).toHaveLength(1)
    await call(main, 'listRooms', { token, query: { scope: 'public', limit: '1' } })
  })

  test('ends with the account, whose place the member of longest standing takes', async () => {
    const roles = await createRoles()
    const { room, owner, member } = roles
    const socket = await connect(main, { ...member, rooms: true })
    await call(main, 'deleteProfile', { token: owner.token, body: { password: owner.password } })
    expect(await socket.next(({ event }) => event === 'left')).toMatchObject({
      room,
      user: { username: owner.username },
    })
    expect(await socket.next(({ event }) => event === 'joined')).toMatchObject({ role: 'owner', by: null })
    const path = { room, username: owner.username }
    await call(main, 'setMember', { token: member.token, path, body: {}, expect: 'not-found' })
    socket.close()
  })

  test('needs a valid token for every operation', async () => {
    const account = await createAccount(main)
    await call(main, 'logoutUser', { token: account.token, body: {} })
    const other = await createAccount(main)
    for (const { id, path } of contract.operations.filter(({ path }) => path.startsWith('/api/rooms'))) {
      const { token: _, ...request } = await validRequest(main, id, other)
      expect(path).toStartWith('/api/rooms')
      await call(main, id, { ...request, token: account.token, expect: 'invalid-token' })
    }
  })
})

test('a user and a room have limits', async () => {
  await using server = await startServer('room-limits')
  const [owner, busy] = [await createAccount(server), await createAccount(server)]
  const [first = '', ...names] = insertUsers(server, 201)
  const { token } = owner
  const room = await createRoom(server, owner)
  insertRooms(server, owner, 498)
  await createRoom(server, owner)
  await call(server, 'createRoom', { token, body: { name: 'x' }, expect: 'room-limit-exceeded' })
  await call(server, 'openDirectRoom', { token, path: { username: first }, expect: 'room-limit-exceeded' })
  expect((await call(server, 'listRooms', { token })).body.next).toBeString()
  const largest = await call(server, 'listRooms', { token, query: { limit: '200' } })
  expect(largest.body.rooms).toHaveLength(200)
  const next = await call(server, 'listRooms', { token, query: { after: largest.body.next } })
  expect(next.body.rooms[0].id > largest.body.next).toBe(true)
  for (const username of names) await call(server, 'setMember', { token, path: { room, username }, body: {} })
  expect((await call(server, 'listMembers', { token, path: { room } })).body).toMatchObject({ count: 201 })
  const members = await call(server, 'listMembers', { token, path: { room }, query: { limit: '200' } })
  expect(members.body.members).toHaveLength(200)
  const last = await call(server, 'listMembers', {
    token,
    path: { room },
    query: { after: members.body.next },
  })
  expect(last.body).toMatchObject({ members: [{}], next: null })
  insertRooms(server, busy, 500)
  const path = { room, username: busy.username }
  await call(server, 'setMember', { token, path, body: {}, expect: 'room-limit-exceeded' })
})

test('a room has at most 10,000 members', async () => {
  await using server = await startServer('large-room')
  const [owner, last, late] = [
    await createAccount(server),
    await createAccount(server),
    await createAccount(server),
  ]
  const room = await createRoom(server, owner, { public: true })
  insertMembers(server, room, 9998)
  const join = (account: Account, outcome?: string) =>
    call(server, 'setMember', {
      token: account.token,
      path: { room, username: account.username },
      body: {},
      ...(outcome !== undefined && { expect: outcome }),
    })
  const socket = await connect(server, { ...last, rooms: true })
  await join(last)
  const { body } = await call(server, 'listMembers', { token: owner.token, path: { room } })
  expect(body.count).toBe(10_000)
  await join(late, 'room-limit-exceeded')
  await call(server, 'setMember', {
    token: owner.token,
    path: { room, username: late.username },
    body: {},
    expect: 'room-limit-exceeded',
  })
  // A member can still get another role, send and receive.
  await call(server, 'setMember', {
    token: owner.token,
    path: { room, username: last.username },
    body: { role: 'owner' },
  })
  await call(server, 'sendMessage', { token: owner.token, body: { message: 'to all members', room } })
  expect(await socket.next(({ event }) => event === 'message')).toMatchObject({ room })
  await call(server, 'removeMember', { token: last.token, path: { room, username: last.username } })
  await join(late)
  socket.close()
})

test('without permission to create rooms, a user can join those that exist', async () => {
  await using server = await startServer('closed-rooms', { ROOM_CREATION: 'operator' })
  const [one, other] = [await createAccount(server), await createAccount(server)]
  const closed = { token: one.token, expect: 'room-creation-closed' }
  await call(server, 'createRoom', { ...closed, body: { name: 'x' } })
  await call(server, 'openDirectRoom', { ...closed, path: { username: other.username } })
})

test('a client that resumes learns of each room whose entries were removed', async () => {
  await using server = await startServer('trimmed-rooms', { MESSAGE_RETENTION_COUNT: '1' })
  const account = await createAccount(server)
  const { token } = account
  const room = await createRoom(server, account)
  const after = (await call(server, 'listMessages', { token })).body.head
  const history = async () => (await call(server, 'listMessages', { token, query: { room } })).body.messages
  for (const message of ['one', 'two', 'three']) {
    await call(server, 'sendMessage', { token, body: { message, room } })
  }
  while ((await history()).length > 1) await Bun.sleep(200)
  await call(server, 'listMessages', { token, query: { room, after }, expect: 'cursor-gone' })
  const socket = await connect(server, { ...account, rooms: true, after })
  expect(await socket.next()).toMatchObject({ event: 'gap', room })
  expect(await socket.next()).toMatchObject({ message: 'three' })
  socket.close()
})
