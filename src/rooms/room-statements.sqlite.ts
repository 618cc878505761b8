import type { SQLQueryBindings } from 'bun:sqlite'
import { once } from '../once.ts'
import type { Queries } from '../storage/sqlite/connection.ts'
import { openEnd } from '../storage/sqlite/schema.ts'
import type { User } from '../users/users.ts'
import type { MembershipRow, RoomRow } from './room-store.ts'

/** The columns of `RoomRow`. */
export const roomColumns =
  'rooms.number, rooms.id, rooms.name, rooms.public, rooms.history, ' +
  'rooms.direct_pair as directPair, rooms.trimmed_through as trimmedThrough'

/** Prepares statements of bun:sqlite at their first use. Their plans depend on hints that Drizzle cannot express. */
export const createPreparer =
  ({ $client }: Pick<Queries, '$client'>) =>
  <Row, Params extends SQLQueryBindings[]>(sql: string) =>
    once(() => $client.prepare<Row, Params>(sql))

/** What changes and reads of rooms ask the database. */
export function prepareRoomStatements(queries: Pick<Queries, '$client'>) {
  const prepare = createPreparer(queries)
  const isOpen = `through_sequence = ${openEnd}`
  const existing = `select ${roomColumns} from rooms where ended_at is null and`
  return {
    room: prepare<RoomRow, [id: string]>(`${existing} id = ?`),
    roomByNumber: prepare<RoomRow, [number: number]>(`${existing} number = ?`),
    roomOfPair: prepare<RoomRow, [pair: string]>(`${existing} direct_pair = ?`),
    roomOfKey: prepare<RoomRow & { request: string }, [createdBy: string, key: string]>(
      `select ${roomColumns}, request from rooms where created_by = ? and idempotency_key = ?`,
    ),
    /** The account with this username or id, unless it was removed. */
    userByName: prepare<User, [username: string]>(
      'select id, username from users where lower(username) = lower(?) and removed_at is null',
    ),
    userById: prepare<User, [id: string]>(
      'select id, username from users where id = ? and removed_at is null',
    ),
    /** The account, also after its removal. */
    anyUserById: prepare<User, [id: string]>('select id, username from users where id = ?'),
    membership: prepare<MembershipRow, [userId: string, room: number]>(
      `select user_id as userId, role from memberships where user_id = ? and room = ? and ${isOpen}`,
    ),
    numbersOf: prepare<{ room: number }, [userId: string]>(
      `select room from memberships where user_id = ? and ${isOpen} order by from_sequence`,
    ),
    countRoomsOf: prepare<{ count: number }, [userId: string]>(
      `select count(*) as count from memberships where user_id = ? and ${isOpen}`,
    ),
    countMembers: prepare<{ count: number }, [room: number]>(
      `select count(*) as count from memberships where room = ? and ${isOpen}`,
    ),
    owner: prepare<MembershipRow, [room: number, exceptUserId: string]>(
      `select user_id as userId, role from memberships
       where room = ? and ${isOpen} and role = 'owner' and user_id <> ? limit 1`,
    ),
    /** Of the other members, the one of longest standing. */
    eldest: prepare<User, [room: number, exceptUserId: string]>(
      `select u.id, u.username from memberships m cross join users u on u.id = m.user_id
       where m.room = ? and m.${isOpen} and m.user_id <> ? order by m.from_sequence limit 1`,
    ),
  }
}

export type RoomStatements = ReturnType<typeof prepareRoomStatements>
