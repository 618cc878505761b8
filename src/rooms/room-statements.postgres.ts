import type { SQL } from 'bun'
import { openEnd, queryRows } from '../storage/postgres/rows.ts'
import type { RoomRow } from './room-store.ts'
import type { Member, Role } from './rooms.ts'

/** The columns of `RoomRow`, with the name as JSON. */
export const roomColumns =
  'r.number::float8 as number, r.id, r.name, r.public::int as public, r.history, ' +
  'r.direct_pair as "directPair", r.trimmed_through::float8 as "trimmedThrough"'

/** The name of a room is stored as JSON. */
export const parseName = <Row extends { readonly name: string }>(row: Row): Row => ({
  ...row,
  name: JSON.parse(row.name) as string,
})

/** Rooms that exist, with a condition. */
export async function findRooms(sql: SQL, condition: string, parameters: readonly unknown[]) {
  const text = `select ${roomColumns} from parley.rooms r where r.ended_at is null and ${condition}`
  return (await queryRows<RoomRow>(sql, text, parameters)).map(parseName)
}

/** Whether the user is a member now. */
export async function isMember(sql: SQL, userId: string, room: number): Promise<boolean> {
  const rows = await queryRows(
    sql,
    `select 1 from parley.memberships where user_id = $1 and room = $2::bigint and through_sequence = ${openEnd}`,
    [userId, room],
  )
  return rows.length > 0
}

export async function countMembers(sql: SQL, room: number): Promise<number> {
  const [row] = await queryRows<{ count: number }>(
    sql,
    `select count(*)::int as count from parley.memberships where room = $1::bigint and through_sequence = ${openEnd}`,
    [room],
  )
  return row?.count ?? 0
}

/** The members of a room in the order of their user ids. */
export async function listMembers(sql: SQL, room: number, after: string, limit: number): Promise<Member[]> {
  const rows = await queryRows<{ id: string; username: string; role: Role }>(
    sql,
    `select u.id, u.username, m.role from parley.memberships m join parley.users u on u.id = m.user_id
     where m.room = $1::bigint and m.through_sequence = ${openEnd} and m.user_id > $2 order by m.user_id limit $3::int`,
    [room, after, limit],
  )
  return rows.map(({ id, username, role }) => ({ user: { id, username }, role }))
}
