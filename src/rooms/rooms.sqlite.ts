import type { Queries } from '../storage/sqlite/connection.ts'
import { withStorageErrors } from '../storage/sqlite/errors.ts'
import { openEnd } from '../storage/sqlite/schema.ts'
import { createPreparer, prepareRoomStatements, roomColumns } from './room-statements.sqlite.ts'
import { type RoomRow, toRoom } from './room-store.ts'
import type { Member, Role, Room, Rooms, RoomsPage } from './rooms.ts'

export interface MemberRow {
  readonly id: string
  readonly username: string
  readonly role: Role
}

export const toMember = ({ id, username, role }: MemberRow): Member => ({ user: { id, username }, role })

/** The members of a room in the order of their user ids. */
export const selectMembers = `select u.id, u.username, m.role from memberships m cross join users u on u.id = m.user_id
  where m.room = ? and m.through_sequence = ${openEnd} and m.user_id > ? order by m.user_id limit ?`

/** Reads rooms in SQLite. Every method is synchronous. */
export function createSqliteRooms(queries: Queries): Rooms {
  const statements = prepareRoomStatements(queries)
  const prepare = createPreparer(queries)
  const ofUser = prepare<RoomRow, [userId: string, after: string, limit: number]>(
    `select ${roomColumns} from memberships m cross join rooms on rooms.number = m.room
     where m.user_id = ? and m.through_sequence = ${openEnd} and rooms.id > ? order by rooms.id limit ?`,
  )
  const allPublic = prepare<RoomRow, [after: string, limit: number]>(
    `select ${roomColumns} from rooms where rooms.public and rooms.ended_at is null and rooms.id > ?
     order by rooms.id limit ?`,
  )
  const members = prepare<MemberRow, [room: number, after: string, limit: number]>(selectMembers)

  function findVisible(id: string, readerId: string): RoomRow | undefined {
    const room = statements.room().get(id)
    if (!room) return undefined
    return room.public === 1 || statements.membership().get(readerId, room.number) ? room : undefined
  }

  function toPage(rows: readonly RoomRow[], limit: number): RoomsPage {
    return { rooms: rows.slice(0, limit).map(toRoom), more: rows.length > limit }
  }

  return {
    listOf: (userId, after = '', limit) =>
      withStorageErrors(() => toPage(ofUser().all(userId, after, limit + 1), limit)),
    listPublic: (after = '', limit) =>
      withStorageErrors(() => toPage(allPublic().all(after, limit + 1), limit)),
    get: (id, readerId): Room | undefined =>
      withStorageErrors(() => {
        const room = findVisible(id, readerId)
        return room && toRoom(room)
      }),
    members: (id, readerId, { after = '', limit }) =>
      withStorageErrors(() => {
        const room = findVisible(id, readerId)
        if (!room) return undefined
        const rows = members().all(room.number, after, limit + 1)
        return {
          members: rows.slice(0, limit).map(toMember),
          count: statements.countMembers().get(room.number)?.count ?? 0,
          more: rows.length > limit,
        }
      }),
  }
}
