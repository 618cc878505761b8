import type { RoomRow } from '../rooms/room-store.ts'
import type { Pool } from '../storage/postgres/pool.ts'
import {
  type Interval,
  isOpen,
  readRoomFor,
  readRoomMessage,
  readRoomMessages,
} from './entry-statements.postgres.ts'
import type { LogRow } from './log-rows.postgres.ts'
import type { MessageIds } from './message-ids.ts'
import { gone, type HistoryRange, type Page, type StoredMessage } from './message-log.ts'

interface HistoryReaderOptions {
  readonly pool: Pool
  readonly ids: MessageIds
  readonly head: () => number
  /** Delivers the messages that are stored now. */
  readonly catchUp: () => Promise<void>
  readonly toMessage: (row: LogRow) => StoredMessage
}

const everything: readonly Interval[] = [{ first: 0, last: Number.MAX_SAFE_INTEGER }]

/** The parts of a room's history that the reader may see; undefined if the room does not exist for the reader. */
function visible(room: RoomRow, intervals: readonly Interval[]): readonly Interval[] | undefined {
  if (room.public === 0 && !isOpen(intervals.at(-1))) return undefined
  return room.public === 1 || room.history === 'all' ? everything : intervals
}

/** Reads the messages of rooms for readers who may see them. */
export function createHistoryReader({ pool, ids, head, catchUp, toMessage }: HistoryReaderOptions) {
  async function findVisible(room: { readonly id: string } | { readonly number: number }, userId: string) {
    const found = await pool.read(({ $client }) => readRoomFor($client, { ...room, userId }))
    const intervals = found && visible(found.room, found.intervals)
    return intervals && { room: found.room, intervals }
  }

  return {
    async readHistory(
      id: string,
      readerId: string,
      { after, before, limit }: HistoryRange,
    ): Promise<Page | typeof gone | undefined> {
      const found = await findVisible({ id }, readerId)
      if (!found) return undefined
      const { room, intervals } = found
      const cursor = after ?? before
      const sequence = cursor === undefined ? Number.MAX_SAFE_INTEGER : ids.decode(cursor)
      if (sequence === undefined) return gone
      // The cursor may come from a node that is ahead of this one.
      if (cursor !== undefined && sequence > head()) await catchUp()
      if (cursor !== undefined && sequence > head() + (after === undefined ? 1 : 0)) return gone
      if (after !== undefined && sequence < room.trimmedThrough) return gone
      const [range, direction] =
        after === undefined
          ? ([{ after: -1, before: sequence }, 'desc'] as const)
          : ([{ after: sequence, before: Number.MAX_SAFE_INTEGER }, 'asc'] as const)
      const rows = await pool.read(({ $client }) =>
        readRoomMessages($client, room.number, intervals, { ...range, limit: limit + 1 }, direction),
      )
      // No message is returned before this node has delivered it.
      if (rows.some((row) => row.sequence > head())) await catchUp()
      const page = rows.slice(0, limit)
      if (direction === 'desc') page.reverse()
      return { messages: page.map(toMessage), more: rows.length > limit }
    },
    /** A message of a room, if the reader may see it. */
    async readMessage(sequence: number, readerId: string): Promise<StoredMessage | undefined> {
      const row = await pool.read(({ $client }) => readRoomMessage($client, sequence))
      if (!row?.entry) return undefined
      const found = await findVisible({ number: row.entry.room }, readerId)
      const isVisible = found?.intervals.some(({ first, last }) => first <= sequence && sequence <= last)
      return isVisible ? toMessage(row) : undefined
    },
  }
}
