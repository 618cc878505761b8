import type { SqliteConnection } from '../storage/sqlite/connection.ts'
import { openEnd, roomRequests } from '../storage/sqlite/schema.ts'
import { createPreparer, prepareRoomStatements, roomColumns } from './room-statements.sqlite.ts'
import { type RoomRow, toRoom } from './room-store.ts'
import { type MemberRow, selectMembers, toMember } from './rooms.sqlite.ts'
import type { RoomAdministration, RoomRecord } from './rooms.ts'

type RecordRow = RoomRow & { readonly members: number; readonly entries: number }

const recordColumns = `${roomColumns},
  (select count(*) from memberships m where m.room = rooms.number and m.through_sequence = ${openEnd}) as members,
  (select count(*) from entries e where e.room = rooms.number) as entries`

const toRecord = (row: RecordRow): RoomRecord => ({
  ...toRoom(row),
  members: row.members,
  entries: row.entries,
})

/** The rooms in SQLite for commands. The changes are left to the service, which assigns the sequences. */
export function createSqliteRoomAdministration({
  queries,
  write,
}: Pick<SqliteConnection, 'queries' | 'write'>): RoomAdministration {
  const statements = prepareRoomStatements(queries)
  const prepare = createPreparer(queries)
  const all = prepare<RecordRow, [after: string, limit: number]>(
    `select ${recordColumns} from rooms where ended_at is null and id > ? order by id limit ?`,
  )
  const one = prepare<RecordRow, [id: string]>(
    `select ${recordColumns} from rooms where ended_at is null and id = ?`,
  )
  const members = prepare<MemberRow, [room: number, after: string, limit: number]>(selectMembers)
  return {
    list: (after = '', limit) => all().all(after, limit).map(toRecord),
    find(id) {
      const row = one().get(id)
      return row ? toRecord(row) : undefined
    },
    members(id, after = '', limit) {
      const room = statements.room().get(id)
      return room ? members().all(room.number, after, limit).map(toMember) : []
    },
    request(change) {
      write(() =>
        queries
          .insert(roomRequests)
          .values({ request: JSON.stringify(change) })
          .run(),
      )
    },
  }
}
