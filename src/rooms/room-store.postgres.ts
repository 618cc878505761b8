import type { SQL } from 'bun'
import { openEnd, queryRows } from '../storage/postgres/rows.ts'
import type { User } from '../users/users.ts'
import { countMembers, findRooms, parseName, roomColumns } from './room-statements.postgres.ts'
import type { MembershipRow, RoomRow, RoomStore } from './room-store.ts'

const isOpen = `through_sequence = ${openEnd}`
const membershipColumns = 'user_id as "userId", role'

export interface PostgresRoomStore extends RoomStore {
  /** Runs `work`, and waits for its writes. @throws the error of the first write that failed, which fails all later statements */
  during<Result>(work: () => Promise<Result>): Promise<Result>
}

/**
 * The tables of rooms within a transaction of PostgreSQL. Writes are sent without waiting for their responses: one
 * connection runs its statements in order.
 */
export function createPostgresRoomStore(sql: SQL): PostgresRoomStore {
  const writes: Promise<unknown>[] = []

  function write(text: string, parameters: readonly unknown[]): void {
    const written = queryRows(sql, text, parameters)
    // `during` reports the failure; until then, it must not count as unhandled.
    written.catch(() => {})
    writes.push(written)
  }

  async function first<Row>(text: string, parameters: readonly unknown[]): Promise<Row | undefined> {
    return (await queryRows<Row>(sql, text, parameters))[0]
  }

  const room = async (condition: string, parameters: readonly unknown[]) =>
    (await findRooms(sql, condition, parameters))[0]
  const user = (condition: string, value: string) =>
    first<User>(`select id, username from parley.users where ${condition}`, [value])
  const membership = (condition: string, parameters: readonly unknown[]) =>
    first<MembershipRow>(
      `select ${membershipColumns} from parley.memberships where ${isOpen} and ${condition}`,
      parameters,
    )

  return {
    room: (id) => room('r.id = $1', [id]),
    roomByNumber: (number) => room('r.number = $1::bigint', [number]),
    roomOfPair: (pair) => room('r.direct_pair = $1', [pair]),
    async roomOfKey(createdBy, key) {
      const row = await first<RoomRow & { request: string }>(
        `select ${roomColumns}, r.request from parley.rooms r where r.created_by = $1 and r.idempotency_key = $2`,
        [createdBy, key],
      )
      return row && parseName(row)
    },
    userByName: (username) =>
      user('lower(username collate "C") = lower($1::text collate "C") and removed_at is null', username),
    userById: (id) => user('id = $1 and removed_at is null', id),
    anyUserById: (id) => user('id = $1', id),
    membership: (userId, number) => membership('user_id = $1 and room = $2::bigint', [userId, number]),
    async numbersOf(userId) {
      const rows = await queryRows<{ room: number }>(
        sql,
        `select room::float8 as room from parley.memberships where user_id = $1 and ${isOpen} order by from_sequence`,
        [userId],
      )
      return rows.map(({ room: number }) => number)
    },
    async countRoomsOf(userId) {
      const text = `select count(*)::int as count from parley.memberships where user_id = $1 and ${isOpen}`
      return (await first<{ count: number }>(text, [userId]))?.count ?? 0
    },
    countMembers: (number) => countMembers(sql, number),
    owner: (number, exceptUserId) =>
      membership("room = $1::bigint and role = 'owner' and user_id <> $2 limit 1", [number, exceptUserId]),
    eldest: (number) => membership('room = $1::bigint order by from_sequence limit 1', [number]),

    insertRoom({
      number,
      id,
      name,
      public: isPublic,
      history,
      directPair,
      createdBy,
      idempotencyKey,
      request,
    }) {
      write(
        `insert into parley.rooms
           (number, id, name, public, history, direct_pair, created_by, idempotency_key, request)
         values ($1::bigint, $2, $3, $4::boolean, $5, $6, $7, $8, $9)`,
        [number, id, JSON.stringify(name), isPublic, history, directPair, createdBy, idempotencyKey, request],
      )
    },
    rename: (number, name) =>
      write('update parley.rooms set name = $2 where number = $1::bigint', [number, JSON.stringify(name)]),
    end: (number, endedAt) =>
      write(
        `update parley.rooms
         set ended_at = $2::bigint, idempotency_key = null, request = null, direct_pair = null
         where number = $1::bigint`,
        [number, endedAt],
      ),
    addMember: (userId, number, fromSequence, role) =>
      write(
        `insert into parley.memberships (user_id, room, from_sequence, through_sequence, role)
         values ($1, $2::bigint, $3::bigint, ${openEnd}, $4)`,
        [userId, number, fromSequence, role],
      ),
    setRole: (userId, number, role) =>
      write(
        `update parley.memberships set role = $3 where user_id = $1 and room = $2::bigint and ${isOpen}`,
        [userId, number, role],
      ),
    endMember: (userId, number, throughSequence) =>
      write(
        `update parley.memberships set through_sequence = $3::bigint
         where user_id = $1 and room = $2::bigint and ${isOpen}`,
        [userId, number, throughSequence],
      ),
    endAllMembers: (number, throughSequence) =>
      write(
        `update parley.memberships set through_sequence = $2::bigint where room = $1::bigint and ${isOpen}`,
        [number, throughSequence],
      ),
    finishLeaving: (userId) => write('update parley.users set leaves_rooms = false where id = $1', [userId]),
    async during(work) {
      const [worked] = await Promise.allSettled([work()])
      for (const result of await Promise.allSettled(writes)) {
        if (result.status === 'rejected') throw result.reason
      }
      if (worked.status === 'rejected') throw worked.reason
      return worked.value
    },
  }
}
