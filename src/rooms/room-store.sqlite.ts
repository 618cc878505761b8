import type { Queries } from '../storage/sqlite/connection.ts'
import { prepareRoomStatements } from './room-statements.sqlite.ts'
import type { RoomStore } from './room-store.ts'
import { createRoomWrites } from './room-writes.sqlite.ts'

/** The tables of rooms in SQLite. Every method is synchronous. */
export function createSqliteRoomStore(queries: Queries): RoomStore {
  const statements = prepareRoomStatements(queries)
  return {
    ...createRoomWrites(queries),
    room: (id) => statements.room().get(id) ?? undefined,
    roomByNumber: (number) => statements.roomByNumber().get(number) ?? undefined,
    roomOfPair: (pair) => statements.roomOfPair().get(pair) ?? undefined,
    roomOfKey: (createdBy, key) => statements.roomOfKey().get(createdBy, key) ?? undefined,
    userByName: (username) => statements.userByName().get(username) ?? undefined,
    userById: (id) => statements.userById().get(id) ?? undefined,
    anyUserById: (id) => statements.anyUserById().get(id) ?? undefined,
    membership: (userId, room) => statements.membership().get(userId, room) ?? undefined,
    numbersOf: (userId) =>
      statements
        .numbersOf()
        .all(userId)
        .map(({ room }) => room),
    countRoomsOf: (userId) => statements.countRoomsOf().get(userId)?.count ?? 0,
    countMembers: (room) => statements.countMembers().get(room)?.count ?? 0,
    owner: (room, exceptUserId) => statements.owner().get(room, exceptUserId) ?? undefined,
    eldest: (room) => statements.eldest().get(room) ?? undefined,
  }
}
