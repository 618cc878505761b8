import { expect, test } from 'bun:test'
import { createConnection } from '../../../src/chats/connection.ts'

test('the state of a connection has at most eight properties, so that the engine does not use 112 bytes for it', () => {
  const state = createConnection({ user: {} } as never, {
    cursor: 'a cursor',
    receivesRooms: true,
    record: {} as never,
  })
  expect(Object.keys(state).length).toBeLessThanOrEqual(8)
})
