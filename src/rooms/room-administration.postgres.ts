import type { Pool } from '../storage/postgres/pool.ts'
import { openEnd, queryRows } from '../storage/postgres/rows.ts'
import { findRooms, listMembers, parseName, roomColumns } from './room-statements.postgres.ts'
import { type RoomRow, toRoom } from './room-store.ts'
import type { RoomAdministration, RoomRecord } from './rooms.ts'

type RecordRow = RoomRow & { readonly members: number; readonly entries: number }

const selectRecords = `select ${roomColumns},
    (select count(*)::int from parley.memberships m where m.room = r.number and m.through_sequence = ${openEnd})
      as members,
    (select count(*)::int from parley.entries e where e.room = r.number) as entries
  from parley.rooms r where r.ended_at is null and`

const toRecord = (row: RecordRow): RoomRecord => ({
  ...toRoom(parseName(row)),
  members: row.members,
  entries: row.entries,
})

/** The rooms in PostgreSQL for commands. The changes are left to a node, which assigns the sequences. */
export function createPostgresRoomAdministration(pool: Pool): RoomAdministration {
  async function records(condition: string, parameters: readonly unknown[]): Promise<RoomRecord[]> {
    const rows = await pool.read(({ $client }) =>
      queryRows<RecordRow>($client, `${selectRecords} ${condition}`, parameters),
    )
    return rows.map(toRecord)
  }

  return {
    list: (after = '', limit) => records('r.id > $1 order by r.id limit $2::int', [after, limit]),
    find: async (id) => (await records('r.id = $1', [id]))[0],
    members: (id, after = '', limit) =>
      pool.read(async ({ $client }) => {
        const [room] = await findRooms($client, 'r.id = $1', [id])
        return room ? listMembers($client, room.number, after, limit) : []
      }),
    async request(change) {
      // The key lets two nodes that carry out the request at the same time create one room.
      const request = JSON.stringify({ ...change, key: crypto.randomUUID() })
      await pool.write(({ $client }) =>
        queryRows($client, 'insert into parley.room_requests (request) values ($1)', [request]),
      )
    },
  }
}
