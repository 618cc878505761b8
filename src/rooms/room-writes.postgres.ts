import type { SQL } from 'bun'
import { openEnd, queryRows } from '../storage/postgres/rows.ts'
import type { InsertedRoom, NewMembership } from './room-store.ts'
import type { Role } from './rooms.ts'

/** The writes of `RoomStore` as statements for any number of rows: each parameter is the array of one column. */
const statements = {
  insertRooms: `insert into parley.rooms
      (number, id, name, public, history, direct_pair, created_by, idempotency_key, request)
    select number, id, name, public::boolean, history, direct_pair, created_by, idempotency_key, request
    from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
      $9::text[])
      as n (number, id, name, public, history, direct_pair, created_by, idempotency_key, request)`,
  rename: `update parley.rooms r set name = n.name
    from unnest($1::bigint[], $2::text[]) as n (number, name) where r.number = n.number`,
  end: `update parley.rooms r
    set ended_at = n.ended_at, idempotency_key = null, request = null, direct_pair = null
    from unnest($1::bigint[], $2::bigint[]) as n (number, ended_at) where r.number = n.number`,
  addMembers: `insert into parley.memberships (user_id, room, from_sequence, through_sequence, role)
    select user_id, room, from_sequence, ${openEnd}, role
    from unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[]) as n (user_id, room, from_sequence, role)`,
  setRoles: `update parley.memberships m set role = n.role
    from unnest($1::text[], $2::bigint[], $3::text[]) as n (user_id, room, role)
    where m.user_id = n.user_id and m.room = n.room and m.through_sequence = ${openEnd}`,
  endMembers: `update parley.memberships m set through_sequence = n.through_sequence
    from unnest($1::text[], $2::bigint[], $3::bigint[]) as n (user_id, room, through_sequence)
    where m.user_id = n.user_id and m.room = n.room and m.through_sequence = ${openEnd}`,
  endAllMembers: `update parley.memberships m set through_sequence = n.through_sequence
    from unnest($1::bigint[], $2::bigint[]) as n (room, through_sequence)
    where m.room = n.room and m.through_sequence = ${openEnd}`,
  finishLeaving: `update parley.users set leaves_rooms = false where id = any($1::text[])`,
}

type Statement = keyof typeof statements

/**
 * The writes of rooms within a transaction. They are collected until the next read, and then sent without waiting for
 * their responses: one statement for all rows that are changed in the same way.
 */
export function createRoomWrites(sql: SQL) {
  const collected = new Map<Statement, (readonly unknown[])[]>()
  const sent: Promise<unknown>[] = []

  function write(statement: Statement, ...row: readonly unknown[]): void {
    const rows = collected.get(statement)
    if (rows) rows.push(row)
    else collected.set(statement, [row])
  }

  function flush(): void {
    for (const [statement, rows] of collected) {
      const columns = rows[0]?.map((_, column) => rows.map((row) => row[column])) ?? []
      const written = queryRows(sql, statements[statement], columns)
      // `settle` reports the failure; until then, it must not count as unhandled.
      written.catch(() => {})
      sent.push(written)
    }
    collected.clear()
  }

  return {
    flush,
    /** Sends what is left, and waits for all responses. @throws the error of the first write that failed */
    async settle(): Promise<void> {
      flush()
      for (const result of await Promise.allSettled(sent)) {
        if (result.status === 'rejected') throw result.reason
      }
    },
    writes: {
      insertRoom(room: InsertedRoom): void {
        const { number, id, name, history, directPair, createdBy, idempotencyKey, request } = room
        const values = [number, id, JSON.stringify(name), String(room.public), history]
        write('insertRooms', ...values, directPair, createdBy, idempotencyKey, request)
      },
      rename: (room: number, name: string) => write('rename', room, JSON.stringify(name)),
      end: (room: number, endedAt: number) => write('end', room, endedAt),
      addMembers(room: number, members: readonly NewMembership[]): void {
        for (const { userId, fromSequence, role } of members) {
          write('addMembers', userId, room, fromSequence, role)
        }
      },
      setRole: (userId: string, room: number, role: Role) => write('setRoles', userId, room, role),
      endMember: (userId: string, room: number, throughSequence: number) =>
        write('endMembers', userId, room, throughSequence),
      endAllMembers: (room: number, throughSequence: number) => write('endAllMembers', room, throughSequence),
      finishLeaving: (userId: string) => write('finishLeaving', userId),
    },
  }
}
