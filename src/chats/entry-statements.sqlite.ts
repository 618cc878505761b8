import { createPreparer, roomColumns } from '../rooms/room-statements.sqlite.ts'
import type { RoomRow } from '../rooms/room-store.ts'
import type { Queries } from '../storage/sqlite/connection.ts'
import { openEnd } from '../storage/sqlite/schema.ts'

export interface FrameRow {
  readonly sequence: number
  readonly frame: string
}

type PageParams = [userId: string, after: number, through: number, limit: number]

/** A room whose entries the retention limits have removed after a cursor. */
export interface TrimmedRoom {
  readonly number: number
  readonly id: string
  readonly trimmedThrough: number
}

/**
 * The statements for the entries of rooms. They are written as SQL, because the order of the joins and the
 * index have to be fixed: with the planner's choice, a page can cost a hundred times as much (docs/decisions/rooms.md).
 */
export function prepareEntryStatements(queries: Pick<Queries, '$client'>) {
  const prepare = createPreparer(queries)
  const isOpen = `m.through_sequence = ${openEnd}`
  const isVisible = '(e.audience is null or e.audience = ?1)'
  return {
    insert: prepare<
      never,
      [
        sequence: number,
        room: number,
        audience: string | null,
        kind: string,
        userId: string | null,
        idempotencyKey: string | null,
        sentAt: number,
        frame: string,
      ]
    >(
      `insert into entries (sequence, room, audience, kind, user_id, idempotency_key, sent_at, frame)
       values (?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    /** The room, if the user can send to it: as a member and, in a direct room, if the other one has not left. */
    writableRoom: prepare<{ number: number }, [id: string, userId: string]>(
      `select r.number from rooms r where r.id = ?1 and r.ended_at is null
       and exists (select 1 from memberships m where m.user_id = ?2 and m.room = r.number and ${isOpen})
       and (r.direct_pair is null or
         (select count(*) from memberships m where m.room = r.number and ${isOpen}) = 2)`,
    ),
    byKey: prepare<FrameRow, [userId: string, room: number, key: string]>(
      'select sequence, frame from entries where user_id = ? and room = ? and idempotency_key = ?',
    ),
    /** The user's entries between two sequences, room by room. */
    byRoom: prepare<FrameRow, PageParams>(
      `select e.sequence, e.frame from (
         select room, from_sequence as first, through_sequence as last from memberships
         where user_id = ?1 and through_sequence > ?2 and from_sequence <= ?3
       ) m cross join entries e indexed by entries_room
       where e.room = m.room and e.sequence > max(?2, m.first - 1) and e.sequence <= min(?3, m.last)
       and ${isVisible} order by e.sequence limit ?4`,
    ),
    /** The same, entry by entry. */
    bySequence: prepare<FrameRow, PageParams>(
      `select e.sequence, e.frame from entries e not indexed cross join memberships m
       where e.sequence > ?2 and e.sequence <= ?3
       and m.user_id = ?1 and m.room = e.room and m.from_sequence <= e.sequence and m.through_sequence >= e.sequence
       and ${isVisible} order by e.sequence limit ?4`,
    ),
    countIntervals: prepare<{ count: number }, [userId: string, after: number]>(
      'select count(*) as count from memberships where user_id = ? and through_sequence > ?',
    ),
    /** The rooms of the user at a place of the log. */
    roomsAt: prepare<{ room: number }, [userId: string, sequence: number]>(
      'select room from memberships where user_id = ?1 and from_sequence <= ?2 and through_sequence > ?2',
    ),
    /** The rooms of which the user would have received entries after a cursor that were removed since. */
    trimmedRooms: prepare<TrimmedRoom, [userId: string, after: number]>(
      `select distinct r.number, r.id, r.trimmed_through as trimmedThrough
       from memberships m cross join rooms r on r.number = m.room
       where m.user_id = ?1 and m.through_sequence > ?2 and m.from_sequence <= r.trimmed_through
       and r.trimmed_through > ?2`,
    ),
    /** The oldest stored entry of a room that the user received after a sequence. */
    oldestOf: prepare<{ sequence: number }, [userId: string, room: number, after: number]>(
      `select min(e.sequence) as sequence from memberships m cross join entries e indexed by entries_room
       where m.user_id = ?1 and m.room = ?2 and e.room = m.room
       and e.sequence > ?3 and e.sequence >= m.from_sequence and e.sequence <= m.through_sequence
       and ${isVisible} having min(e.sequence) is not null`,
    ),
    /** A room that exists, for any reader. */
    room: prepare<RoomRow, [id: string]>(
      `select ${roomColumns} from rooms where id = ? and ended_at is null`,
    ),
    roomByNumber: prepare<RoomRow, [number: number]>(
      `select ${roomColumns} from rooms where number = ? and ended_at is null`,
    ),
    /** The times when the user was a member of a room, in order. */
    intervals: prepare<{ first: number; last: number }, [userId: string, room: number]>(
      `select from_sequence as first, through_sequence as last from memberships
       where user_id = ? and room = ? order by from_sequence`,
    ),
    /** The messages of a room between two sequences. */
    messagesAfter: prepare<FrameRow, [room: number, after: number, through: number, limit: number]>(
      `select sequence, frame from entries indexed by entries_room where room = ? and sequence > ? and sequence <= ?
       and kind = 'message' order by sequence limit ?`,
    ),
    messagesBefore: prepare<FrameRow, [room: number, from: number, before: number, limit: number]>(
      `select sequence, frame from entries indexed by entries_room where room = ? and sequence >= ? and sequence < ?
       and kind = 'message' order by sequence desc limit ?`,
    ),
    message: prepare<FrameRow & { room: number }, [sequence: number]>(
      "select sequence, frame, room from entries where sequence = ? and kind = 'message'",
    ),
    newest: prepare<{ sequence: number; sentAt: number }, [through: number]>(
      `select sequence, sent_at as sentAt from entries where sequence <= ? order by sequence desc limit 1`,
    ),
    oldest: prepare<{ sequence: number; sentAt: number }, [limit: number]>(
      `select sequence, sent_at as sentAt from entries order by sequence limit ?`,
    ),
    highestTrimmed: prepare<{ sequence: number | null }, []>(
      'select max(trimmed_through) as sequence from rooms',
    ),
  }
}

export type EntryStatements = ReturnType<typeof prepareEntryStatements>
