import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { failureOf, runCommand, runJson } from '../support/command.ts'
import { type RoomBody, startRoomService } from '../support/room-service.ts'

// Each test starts several processes, which takes longer than the default timeout on a busy machine.
setDefaultTimeout(180_000)

const service = await startRoomService({ ROOM_CREATION: 'operator' })
afterAll(() => service[Symbol.asyncDispose]())
const { dataDir } = service
const [ada, bob] = await service.users('ada', 'bob')

async function until<Value>(find: () => Promise<Value | undefined>): Promise<Value> {
  for (;;) {
    const found = await find()
    if (found !== undefined) return found
    await Bun.sleep(20)
  }
}

/** Creates a room by command and waits until the service has created it. */
async function createRoom(name: string, ...options: string[]): Promise<RoomBody> {
  await runJson(['rooms', 'create', name, '--owner', 'ada', ...options], { dataDir })
  return until(async () =>
    (await ada.call('GET', '/api/rooms?limit=200')).body.rooms.find((room) => room.name === name),
  )
}

describe('rooms', () => {
  test('are created while users may not, listed and shown', async () => {
    expect((await ada.call('POST', '/api/rooms', { name: 'x' })).body.code).toBe('room-creation-closed')
    const room = await createRoom('Reading club', '--public')
    expect(room).toMatchObject({ public: true, history: 'all', direct: false })
    await bob.join(room.id)
    expect(await runJson(['rooms', 'show', room.id], { dataDir })).toMatchObject({
      id: room.id,
      name: 'Reading club',
      members: [
        { user: { username: 'ada' }, role: 'owner' },
        { user: { username: 'bob' }, role: 'member' },
      ],
    })
    const { stdout } = await runCommand(['rooms', 'list'], { dataDir })
    expect(stdout).toMatch(/^ID +KIND +MEMBERS +ENTRIES +NAME\n/)
    expect(stdout).toMatch(new RegExp(`${room.id} +public +2 +2 +Reading club`))
  })

  test('are removed, and their members are told', async () => {
    const room = await createRoom('Removed')
    const client = await ada.connect()
    expect(await runJson(['rooms', 'remove', room.id, '--yes'], { dataDir })).toMatchObject({ done: true })
    expect(await client.next()).toMatchObject({ event: 'room-removed', room: room.id, by: null })
    expect(await failureOf(['rooms', 'show', room.id], { dataDir })).toContain('No room has the id')
    await client.close()
  })

  test('get another owner, who becomes a member', async () => {
    const room = await createRoom('With two owners')
    const result = await runJson(['rooms', 'set-owner', room.id, 'bob'], { dataDir })
    expect(result).toMatchObject({ id: room.id, username: 'bob', done: true })
    expect((await bob.call('PATCH', `/api/rooms/${room.id}`, { name: 'Renamed' })).status).toBe(200)
    expect(await failureOf(['rooms', 'set-owner', room.id, 'unknown'], { dataDir })).toContain('No account')
  })

  test('keep a request that the service has not carried out until it runs again', async () => {
    await using stopped = await startRoomService()
    const eve = await stopped.user('eve')
    const id = await eve.create({})
    await stopped.storage.close()
    const result = await runJson(['rooms', 'remove', id, '--yes'], { dataDir: stopped.dataDir })
    expect(result).toMatchObject({ done: false })
    await using again = await startRoomService({ DATA_DIR: stopped.dataDir })
    const status = async () => (await again.get(`/api/rooms/${id}`, eve.token)).status
    await until(async () => ((await status()) === 404 ? true : undefined))
  })

  test.each([
    [['rooms', 'create', '', '--owner', 'ada'], 'The name must have at least 1 character.'],
    [['rooms', 'create', 'x', '--owner', 'unknown'], 'No account has the username "unknown".'],
    [['rooms', 'remove', 'unknown', '--yes'], 'No room has the id "unknown".'],
  ])('%p fails', async (arguments_, message) => {
    expect(await failureOf(arguments_, { dataDir })).toContain(message)
  })
})

test('an account that a command removes leaves its rooms while the service runs', async () => {
  const eve = await service.user('eve')
  const room = await createRoom('Left', '--public')
  await eve.join(room.id)
  const client = await ada.connect()
  await runJson(['users', 'remove', 'eve', '--yes'], { dataDir })
  expect(await client.next()).toMatchObject({ event: 'left', user: { username: 'eve' } })
  await client.close()
})
