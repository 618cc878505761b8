import type { Pool } from '../storage/postgres/pool.ts'
import { openEnd, queryRows } from '../storage/postgres/rows.ts'
import {
  countMembers,
  findRooms,
  isMember,
  listMembers,
  parseName,
  roomColumns,
} from './room-statements.postgres.ts'
import { type RoomRow, toRoom } from './room-store.ts'
import type { Rooms, RoomsPage } from './rooms.ts'

/** Reads rooms in PostgreSQL. */
export function createPostgresRooms(pool: Pool): Rooms {
  async function findVisible(id: string, readerId: string): Promise<RoomRow | undefined> {
    return pool.read(async ({ $client }) => {
      const [room] = await findRooms($client, 'r.id = $1', [id])
      if (!room) return undefined
      return room.public === 1 || (await isMember($client, readerId, room.number)) ? room : undefined
    })
  }

  function toPage(rows: readonly RoomRow[], limit: number): RoomsPage {
    return { rooms: rows.slice(0, limit).map(toRoom), more: rows.length > limit }
  }

  return {
    async listOf(userId, after = '', limit) {
      const rows = await pool.read(({ $client }) =>
        queryRows<RoomRow>(
          $client,
          `select ${roomColumns} from parley.memberships m join parley.rooms r on r.number = m.room
           where m.user_id = $1 and m.through_sequence = ${openEnd} and r.id > $2 order by r.id limit $3::int`,
          [userId, after, limit + 1],
        ),
      )
      return toPage(rows.map(parseName), limit)
    },
    async listPublic(after = '', limit) {
      const condition = 'r.public and r.id > $1 order by r.id limit $2::int'
      return toPage(
        await pool.read(({ $client }) => findRooms($client, condition, [after, limit + 1])),
        limit,
      )
    },
    async get(id, readerId) {
      const room = await findVisible(id, readerId)
      return room && toRoom(room)
    },
    async members(id, readerId, { after = '', limit }) {
      const room = await findVisible(id, readerId)
      if (!room) return undefined
      return pool.read(async ({ $client }) => {
        const rows = await listMembers($client, room.number, after, limit + 1)
        const count = await countMembers($client, room.number)
        return { members: rows.slice(0, limit), count, more: rows.length > limit }
      })
    },
  }
}
