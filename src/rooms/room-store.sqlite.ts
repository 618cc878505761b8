import type { Queries } from '../storage/sqlite/connection.ts'
import { prepareRoomStatements } from './room-statements.sqlite.ts'
import type { Departure, RoomStore } from './room-store.ts'
import { createRoomWrites } from './room-writes.sqlite.ts'

/** The tables of rooms in SQLite. Every method is synchronous. */
export function createSqliteRoomStore(queries: Queries): RoomStore {
  const statements = prepareRoomStatements(queries)
  const countMembers = (room: number) => statements.countMembers().get(room)?.count ?? 0

  function departures(userId: string, number: number): Departure[] {
    const room = statements.roomByNumber().get(number)
    if (!room) return []
    return [
      {
        room,
        members: countMembers(number),
        eldest: statements.eldest().get(number, userId) ?? undefined,
        hasOtherOwner: statements.owner().get(number, userId) !== null,
        pairExists: room.directPair?.split(' ').every((id) => statements.userById().get(id)) ?? false,
      },
    ]
  }

  return {
    ...createRoomWrites(queries),
    room: (id) => statements.room().get(id) ?? undefined,
    roomOfPair: (pair) => statements.roomOfPair().get(pair) ?? undefined,
    roomOfKey: (createdBy, key) => statements.roomOfKey().get(createdBy, key) ?? undefined,
    usersByName: (usernames) =>
      usernames.map((username) => statements.userByName().get(username) ?? undefined),
    userById: (id) => statements.userById().get(id) ?? undefined,
    anyUserById: (id) => statements.anyUserById().get(id) ?? undefined,
    membership: (userId, room) => statements.membership().get(userId, room) ?? undefined,
    countRoomsOf: (userIds) => userIds.map((id) => statements.countRoomsOf().get(id)?.count ?? 0),
    countMembers,
    owner: (room, exceptUserId) => statements.owner().get(room, exceptUserId) ?? undefined,
    departures(userId, room) {
      if (room !== undefined) {
        return statements.membership().get(userId, room) ? departures(userId, room) : []
      }
      return statements
        .numbersOf()
        .all(userId)
        .flatMap((row) => departures(userId, row.room))
    },
  }
}
