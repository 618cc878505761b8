import type { SQL } from 'bun'
import { findRooms } from '../rooms/room-statements.postgres.ts'
import type { RoomRow } from '../rooms/room-store.ts'
import { openEnd, queryRows } from '../storage/postgres/rows.ts'
import { type LogRow, logColumns, toLogRow, type UnionRow } from './log-rows.postgres.ts'

const isVisible = '(e.audience is null or e.audience = $1)'

/** The user's entries between two sequences, room by room: $1 the user, $2 and $3 the sequences, $4 the limit. */
const byRoom = `select e.* from parley.memberships m cross join lateral (
    select e.* from parley.entries e
    where e.room = m.room and e.sequence > greatest($2::bigint, m.from_sequence - 1)
      and e.sequence <= least($3::bigint, m.through_sequence) and ${isVisible}
    order by e.sequence limit $4::int
  ) e
  where m.user_id = $1 and m.through_sequence > $2::bigint and m.from_sequence <= $3::bigint`

/** The same, entry by entry. */
const bySequence = `select e.* from parley.entries e
  where e.sequence > $2::bigint and e.sequence <= $3::bigint and ${isVisible} and exists (
    select 1 from parley.memberships m
    where m.user_id = $1 and m.room = e.room and m.from_sequence <= e.sequence and m.through_sequence >= e.sequence
  )`

const viewPage = (rooms: string) => `
  select ${logColumns('l')} from (
    (select sequence, user_id, username, idempotency_key, sent_at, message as body, null::bigint as room,
       null as audience, null as kind
     from parley.messages where sequence > $2::bigint and sequence <= $3::bigint order by sequence limit $4::int)
    union all
    (select sequence, user_id, null, idempotency_key, sent_at, body, room, audience, kind from (${rooms}) e
     order by sequence limit $4::int)
  ) l order by l.sequence limit $4::int`

const pageByRoom = viewPage(byRoom)
const pageBySequence = viewPage(bySequence)

interface Range {
  readonly after: number
  readonly through: number
  readonly limit: number
}

/** What one user has received between two sequences: the messages to all users and the entries of rooms. */
export async function readViewPage(
  sql: SQL,
  userId: string,
  { after, through, limit, byRoom: readsByRoom }: Range & { readonly byRoom: boolean },
): Promise<LogRow[]> {
  const text = readsByRoom ? pageByRoom : pageBySequence
  return (await queryRows<UnionRow>(sql, text, [userId, after, through, limit])).map(toLogRow)
}

export async function readIntervalCount(sql: SQL, userId: string, after: number): Promise<number> {
  const [row] = await queryRows<{ count: number }>(
    sql,
    'select count(*)::int as count from parley.memberships where user_id = $1 and through_sequence > $2::bigint',
    [userId, after],
  )
  return row?.count ?? 0
}

/** The rooms of the user at a place of the log. */
export async function readRoomsAt(sql: SQL, userId: string, sequence: number): Promise<number[]> {
  const rows = await queryRows<{ room: number }>(
    sql,
    `select room::float8 as room from parley.memberships
     where user_id = $1 and from_sequence <= $2::bigint and through_sequence > $2::bigint`,
    [userId, sequence],
  )
  return rows.map(({ room }) => room)
}

/** What was removed of the messages to all users. */
export interface LobbyGap {
  /** The highest sequence that was removed. */
  readonly through: number
  /** The oldest message that remains. */
  readonly oldest: number | null
}

export async function readLobbyGap(sql: SQL): Promise<LobbyGap> {
  const [row] = await queryRows<LobbyGap>(
    sql,
    `select greatest(l.trimmed_through, l.forgotten_through)::float8 as through,
       (select sequence from parley.messages order by sequence limit 1)::float8 as oldest
     from parley.message_log l`,
  )
  if (!row) throw new Error('The table message_log has no row')
  return row
}

export interface TrimmedRoom {
  readonly number: number
  readonly id: string
  readonly through: number
  /** The oldest stored entry that the user has received after the cursor. */
  readonly oldest: number | null
}

/** The rooms of which the user would have received entries after a cursor that were removed since. */
export const readTrimmedRooms = (sql: SQL, userId: string, after: number): Promise<TrimmedRoom[]> =>
  queryRows(
    sql,
    `select distinct r.number::float8 as number, r.id, r.trimmed_through::float8 as through, (
       select min(e.sequence) from parley.memberships o join parley.entries e on e.room = o.room
       where o.user_id = $1 and o.room = r.number and e.sequence > $2::bigint
         and e.sequence >= o.from_sequence and e.sequence <= o.through_sequence and ${isVisible}
     )::float8 as oldest
     from parley.memberships m join parley.rooms r on r.number = m.room
     where m.user_id = $1 and m.through_sequence > $2::bigint and m.from_sequence <= r.trimmed_through
       and r.trimmed_through > $2::bigint`,
    [userId, after],
  )

export interface Interval {
  readonly first: number
  readonly last: number
}

/** A room that exists, and the times when the user was a member of it, in order. */
export async function readRoomFor(
  sql: SQL,
  { id, number, userId }: { readonly id?: string; readonly number?: number; readonly userId: string },
): Promise<{ room: RoomRow; intervals: Interval[] } | undefined> {
  const [room] =
    id === undefined
      ? await findRooms(sql, 'r.number = $1::bigint', [number])
      : await findRooms(sql, 'r.id = $1', [id])
  if (!room) return undefined
  const intervals = await queryRows<Interval>(
    sql,
    `select from_sequence::float8 as first, through_sequence::float8 as last from parley.memberships
     where user_id = $1 and room = $2::bigint order by from_sequence`,
    [userId, room.number],
  )
  return { room, intervals }
}

const entryColumns = `e.sequence, e.user_id as "userId", null as username, e.idempotency_key as key,
  e.sent_at as "sentAt", e.body, e.room, e.audience, e.kind`

/** The messages of a room within intervals: the oldest after a sequence, or the newest before it. */
export async function readRoomMessages(
  sql: SQL,
  room: number,
  intervals: readonly Interval[],
  { after, before, limit }: { readonly after: number; readonly before: number; readonly limit: number },
  direction: 'asc' | 'desc',
): Promise<LogRow[]> {
  const rows = await queryRows<UnionRow>(
    sql,
    `select ${entryColumns} from unnest($1::bigint[], $2::bigint[]) as i (first, last)
     cross join lateral (
       select * from parley.entries e
       where e.room = $3::bigint and e.kind = 'message' and e.sequence > $4::bigint and e.sequence < $5::bigint
         and e.sequence >= i.first and e.sequence <= i.last
       order by e.sequence ${direction} limit $6::int
     ) e
     order by e.sequence ${direction} limit $6::int`,
    [intervals.map(({ first }) => first), intervals.map(({ last }) => last), room, after, before, limit],
  )
  return rows.map(toLogRow)
}

export async function readRoomMessage(sql: SQL, sequence: number): Promise<LogRow | undefined> {
  const [row] = await queryRows<UnionRow>(
    sql,
    `select ${entryColumns} from parley.entries e where e.sequence = $1::bigint and e.kind = 'message'`,
    [sequence],
  )
  return row && toLogRow(row)
}

/** The entries of rooms after one sequence, through another one. */
export async function readEntriesBetween(sql: SQL, after: number, through: number): Promise<LogRow[]> {
  const rows = await queryRows<UnionRow>(
    sql,
    `select ${entryColumns} from parley.entries e where e.sequence > $1::bigint and e.sequence <= $2::bigint
     order by e.sequence`,
    [after, through],
  )
  return rows.map(toLogRow)
}

/** The history ends with the membership that has no end. */
export const isOpen = (interval: Interval | undefined): boolean => interval?.last === openEnd
