import type { SQL } from 'bun'
import { openEnd, queryRows } from '../storage/postgres/rows.ts'
import type { User } from '../users/users.ts'
import { countMembers, findRooms, parseName, roomColumns } from './room-statements.postgres.ts'
import type { Departure, MembershipRow, RoomRow, RoomStore } from './room-store.ts'
import { createRoomWrites } from './room-writes.postgres.ts'

const isOpen = `through_sequence = ${openEnd}`

type DepartureRow = RoomRow &
  Pick<Departure, 'members' | 'hasOtherOwner' | 'pairExists'> & {
    readonly eldestId: string | null
    readonly eldestName: string
  }

/** The departures of $1 from the room $2, or from all rooms if that is null. */
const selectDepartures = `select ${roomColumns}, eldest.id as "eldestId", eldest.username as "eldestName",
    (select count(*)::int from parley.memberships o where o.room = r.number and o.${isOpen}) as members,
    exists (
      select 1 from parley.memberships o
      where o.room = r.number and o.${isOpen} and o.user_id <> $1 and o.role = 'owner'
    ) as "hasOtherOwner",
    coalesce(2 = (
      select count(*) from parley.users u
      where u.id = any(string_to_array(r.direct_pair, ' ')) and u.removed_at is null
    ), false) as "pairExists"
  from parley.memberships m
  join parley.rooms r on r.number = m.room and r.ended_at is null
  left join lateral (
    select u.id, u.username from parley.memberships o join parley.users u on u.id = o.user_id
    where o.room = r.number and o.${isOpen} and o.user_id <> $1
    order by o.from_sequence limit 1
  ) eldest on true
  where m.user_id = $1 and m.${isOpen} and ($2::bigint is null or m.room = $2::bigint)
  order by m.from_sequence`

export interface PostgresRoomStore extends RoomStore {
  /** Runs `work`, and waits for its writes. @throws the error of the first write that failed, which fails all later statements */
  during<Result>(work: () => Promise<Result>): Promise<Result>
}

/** The tables of rooms within a transaction of PostgreSQL. */
export function createPostgresRoomStore(sql: SQL): PostgresRoomStore {
  const { writes, flush, settle } = createRoomWrites(sql)

  /** Runs a statement that sees all writes: one connection runs its statements in order. */
  function read<Row>(text: string, parameters: readonly unknown[]): Promise<Row[]> {
    flush()
    return queryRows<Row>(sql, text, parameters)
  }

  async function first<Row>(text: string, parameters: readonly unknown[]): Promise<Row | undefined> {
    return (await read<Row>(text, parameters))[0]
  }

  async function room(condition: string, parameters: readonly unknown[]): Promise<RoomRow | undefined> {
    flush()
    return (await findRooms(sql, condition, parameters))[0]
  }

  const membership = (condition: string, parameters: readonly unknown[]) =>
    first<MembershipRow>(
      `select user_id as "userId", role from parley.memberships where ${isOpen} and ${condition}`,
      parameters,
    )

  return {
    ...writes,
    room: (id) => room('r.id = $1', [id]),
    roomOfPair: (pair) => room('r.direct_pair = $1', [pair]),
    async roomOfKey(createdBy, key) {
      const row = await first<RoomRow & { request: string }>(
        `select ${roomColumns}, r.request from parley.rooms r where r.created_by = $1 and r.idempotency_key = $2`,
        [createdBy, key],
      )
      return row && parseName(row)
    },
    async usersByName(usernames) {
      const rows = await read<{ id: string | null; username: string }>(
        `select u.id, u.username from unnest($1::text[]) with ordinality as n (name, place)
         left join parley.users u on lower(u.username collate "C") = lower(n.name collate "C") and u.removed_at is null
         order by n.place`,
        [usernames],
      )
      return rows.map(({ id, username }) => (id === null ? undefined : { id, username }))
    },
    userById: (id) =>
      first<User>('select id, username from parley.users where id = $1 and removed_at is null', [id]),
    anyUserById: (id) => first<User>('select id, username from parley.users where id = $1', [id]),
    membership: (userId, number) => membership('user_id = $1 and room = $2::bigint', [userId, number]),
    async countRoomsOf(userIds) {
      const rows = await read<{ count: number }>(
        `select (select count(*)::int from parley.memberships m where m.user_id = n.id and m.${isOpen}) as count
         from unnest($1::text[]) with ordinality as n (id, place) order by n.place`,
        [userIds],
      )
      return rows.map(({ count }) => count)
    },
    countMembers(number) {
      flush()
      return countMembers(sql, number)
    },
    owner: (number, exceptUserId) =>
      membership("room = $1::bigint and role = 'owner' and user_id <> $2 limit 1", [number, exceptUserId]),
    async departures(userId, number) {
      const rows = await read<DepartureRow>(selectDepartures, [userId, number ?? null])
      return rows.map(({ members, hasOtherOwner, pairExists, eldestId, eldestName, ...found }) => ({
        room: parseName(found),
        members,
        hasOtherOwner,
        pairExists,
        eldest: eldestId === null ? undefined : { id: eldestId, username: eldestName },
      }))
    },
    async during(work) {
      const [worked] = await Promise.allSettled([work()])
      await settle()
      if (worked.status === 'rejected') throw worked.reason
      return worked.value
    },
  }
}
