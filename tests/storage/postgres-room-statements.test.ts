import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { SQL } from 'bun'
import { storeChanges } from '../../src/chats/room-commit.postgres.ts'
import type { RoomChange } from '../../src/rooms/room-changes.ts'
import type { User } from '../../src/users/users.ts'
import { skipsPostgres } from '../fixtures/postgres-server.ts'
import { createDatabase, openNode } from './support/postgres.ts'
import { stopPostgresAfterTests } from './support/postgres-server.ts'
import { createRoomActions } from './support/rooms.ts'

stopPostgresAfterTests()
setDefaultTimeout(180_000)

/** A client that counts the statements of its transactions, those that begin and end them included. */
function createCountingClient(url: string) {
  const client = new SQL(url, { max: 1 })
  let statements = 0
  /** `queryRows` runs each of its statements by `unsafe`. */
  const counted = (sql: SQL) =>
    new Proxy(sql, {
      get(target, name) {
        if (name !== 'unsafe') return Reflect.get(target, name)
        return (...parameters: Parameters<SQL['unsafe']>) => {
          statements++
          return target.unsafe(...parameters)
        }
      },
    })
  const begin = (work: (sql: SQL) => Promise<unknown>) => {
    statements += 2
    return client.begin((sql) => work(counted(sql)))
  }
  return {
    sql: { begin } as SQL,
    /** The number of statements that `work` has run. */
    async count(work: () => Promise<unknown>): Promise<number> {
      const before = statements
      await work()
      return statements - before
    },
    run: (text: string, parameters: unknown[]) => client.unsafe(text, parameters),
    close: () => client.close({ timeout: 0 }),
  }
}

async function openCounted() {
  const url = await createDatabase()
  const node = await openNode(url)
  const client = createCountingClient(url)
  let batch = 0
  const change = async (...changes: RoomChange[]) => {
    const { outcomes } = await storeChanges(client.sql, ['counted', ++batch], changes)
    for (const outcome of outcomes) if (outcome instanceof Error) throw outcome
    return outcomes
  }
  return {
    ...createRoomActions(node),
    /** Removes an account without the mark by which the node would make the user leave the rooms. */
    removeUser: ({ id }: User) => client.run('update parley.users set removed_at = 1 where id = $1', [id]),
    /** The number of statements of a change. */
    count: (...changes: RoomChange[]) => client.count(() => change(...changes)),
    change,
    async [Symbol.asyncDispose]() {
      await client.close()
      await node[Symbol.asyncDispose]()
    },
  }
}

const create = (by: User, members: readonly string[]): RoomChange => ({
  kind: 'create-room',
  by,
  room: { name: 'Room', public: false, history: 'joined', members },
  idempotencyKey: crypto.randomUUID(),
})

describe.skipIf(skipsPostgres)('the number of statements while the other nodes wait for the log', () => {
  test('does not depend on the number of members of a room that is created or removed', async () => {
    await using log = await openCounted()
    const ada = await log.user('ada')
    const names = Array.from({ length: 100 }, (_, index) => `member-${index}`)
    await Promise.all(names.map(log.user))
    const few = await log.count(create(ada, names.slice(0, 1)))
    expect(await log.count(create(ada, names))).toBe(few)
    expect(few).toBeLessThanOrEqual(12)

    const { rooms } = await log.rooms.listOf(ada.id, undefined, 10)
    const counts: number[] = []
    const sizes: number[] = []
    for (const { id } of rooms) {
      const page = await log.rooms.members(id, ada.id, { after: undefined, limit: 1 })
      sizes.push(page?.count ?? 0)
      counts.push(await log.count({ kind: 'remove-room', by: ada, room: id }))
    }
    expect(sizes.toSorted((a, b) => a - b)).toEqual([2, 101])
    expect(counts[0]).toBe(counts[1] as number)
    expect(counts[0]).toBeLessThanOrEqual(11)
  })

  test('is small for a direct room and for members who join, change and leave', async () => {
    await using log = await openCounted()
    const [ada] = [await log.user('ada'), await log.user('bob')]
    const room = await log.create(ada)
    const member = { by: ada, room, username: 'bob' } as const
    expect(
      await log.count({ kind: 'open-direct', by: ada, username: 'bob', mayCreate: true }),
    ).toBeLessThanOrEqual(12)
    expect(await log.count({ kind: 'set-member', ...member, role: undefined })).toBeLessThanOrEqual(14)
    expect(await log.count({ kind: 'set-member', ...member, role: 'owner' })).toBeLessThanOrEqual(13)
    expect(await log.count({ kind: 'remove-member', ...member })).toBeLessThanOrEqual(12)
    expect(await log.roles(room, ada)).toEqual({ ada: 'owner' })
  })

  test('does not depend on the number of rooms that a user of a removed account leaves', async () => {
    await using log = await openCounted()
    const users = [await log.user('ada'), await log.user('bob')] as const
    const [, bob] = users
    const heir = await log.user('heir')
    const counts: number[] = []
    for (const [index, user] of users.entries()) {
      const names = ['heir', 'bob'].filter((name) => name !== user.username)
      for (let room = 0; room < 1 + index * 20; room++) {
        // Rooms that end, and rooms that need another owner.
        await log.create(user)
        await log.create(user, { members: names })
      }
      await log.removeUser(user)
      counts.push(await log.count({ kind: 'end-account', userId: user.id }))
    }
    expect(counts[1]).toBe(counts[0] as number)
    expect(counts[0]).toBeLessThanOrEqual(12)
    const { rooms } = await log.rooms.listOf(heir.id, undefined, 100)
    expect(rooms).toHaveLength(22)
    for (const { id } of rooms) expect(Object.values((await log.roles(id, heir)) ?? {})).toContain('owner')
    expect(await log.roomsOf(bob)).toEqual([])
  })
})
