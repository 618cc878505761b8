import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { SQL } from 'bun'
import { giveUpBatch, storeBatch, toBatchValues } from '../../src/chats/message-statements.postgres.ts'
import { storeChanges } from '../../src/chats/room-commit.postgres.ts'
import type { RoomChange } from '../../src/rooms/room-changes.ts'
import { sqlState } from '../../src/storage/postgres/errors.ts'
import { skipsPostgres } from '../fixtures/postgres-server.ts'
import { author, textsOf } from './support/message-logs.ts'
import { createDatabase, openNode } from './support/postgres.ts'
import { stopPostgresAfterTests } from './support/postgres-server.ts'
import { createRoomActions } from './support/rooms.ts'

stopPostgresAfterTests()
setDefaultTimeout(180_000)

/** A database, a node on it, and a connection of another process that stores numbered batches. */
async function openLog() {
  const url = await createDatabase()
  const node = await openNode(url)
  const sql = new SQL(url, { max: 1 })
  return {
    node,
    sql,
    ...createRoomActions(node),
    store: (number: number, ...messages: string[]) =>
      storeBatch(
        sql,
        ['another process', number],
        toBatchValues(messages.map((message) => ({ user: author, message, idempotencyKey: undefined }))),
      ),
    texts: async () => textsOf(node.log.readBefore(undefined, 100)),
    async [Symbol.asyncDispose]() {
      await sql.close({ timeout: 0 })
      await node[Symbol.asyncDispose]()
    },
  }
}

describe.skipIf(skipsPostgres)('a batch whose response was lost', () => {
  test('is stored once, and the same response is given again, also after later messages', async () => {
    await using log = await openLog()
    const first = await log.store(1, 'one', 'two')
    expect(await log.store(1, 'one', 'two')).toEqual(first)
    await log.node.append('three')
    expect(await log.store(1, 'one', 'two')).toEqual(first)
    expect(await log.texts()).toEqual(['one', 'two', 'three'])
  })

  test('is not stored after it was given up, nor after a later batch of its process', async () => {
    await using log = await openLog()
    expect(await giveUpBatch(log.sql, 'another process', 1)).toBe(true)
    expect(await log.store(1, 'given up').catch(sqlState)).toBe('PA001')
    await log.store(3, 'stored')
    expect(await log.store(2, 'late').catch(sqlState)).toBe('PA002')
    expect(await giveUpBatch(log.sql, 'another process', 3)).toBe(false)
    expect(await log.texts()).toEqual(['stored'])
  })

  test('changes rooms once, and each change has the same outcome and the same events again', async () => {
    await using log = await openLog()
    const [ada, bob] = [await log.user('ada'), await log.user('bob')]
    const room = await log.create(ada)
    const changes: RoomChange[] = [
      {
        kind: 'create-room',
        by: bob,
        room: { name: 'Bob’s', public: false, history: 'all', members: ['ADA'] },
        idempotencyKey: undefined,
      },
      { kind: 'rename-room', by: bob, room, name: 'not visible to bob' },
      { kind: 'set-member', by: ada, room, username: 'bob', role: 'owner' },
    ]
    const first = await storeChanges(log.sql, ['another process', 1], changes)
    const again = await storeChanges(log.sql, ['another process', 1], changes)
    expect(again).toEqual(first)
    expect(again.outcomes.map((outcome) => (outcome instanceof Error ? outcome.code : 'ok'))).toEqual([
      'ok',
      'not-found',
      'ok',
    ])
    expect(again.entries.map(({ entry }) => entry?.kind)).toEqual(['joined', 'joined', 'joined'])
    expect(await log.roomsOf(bob)).toHaveLength(2)
  })
})
