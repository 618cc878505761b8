import type { RoomRow } from '../rooms/room-store.ts'
import { openEnd } from '../storage/sqlite/schema.ts'
import type { EntryStatements, FrameRow } from './entry-statements.sqlite.ts'
import type { MessageIds } from './message-ids.ts'
import { gone, type HistoryRange, type Page, type StoredMessage } from './message-log.ts'

interface HistoryReaderOptions {
  readonly entries: EntryStatements
  readonly ids: MessageIds
  readonly head: () => number
  readonly toMessage: (row: FrameRow) => StoredMessage
}

interface Interval {
  readonly first: number
  readonly last: number
}

/** Reads the messages of rooms for readers who may see them. */
export function createHistoryReader({ entries, ids, head, toMessage }: HistoryReaderOptions) {
  /** The parts of the room's history that the reader may see; undefined if the room does not exist for the reader. */
  function visible(room: RoomRow | null, readerId: string): readonly Interval[] | undefined {
    if (!room) return undefined
    const intervals = entries.intervals().all(readerId, room.number)
    const isMember = intervals.at(-1)?.last === openEnd
    if (room.public === 0 && !isMember) return undefined
    return room.public === 1 || room.history === 'all' ? [{ first: 0, last: openEnd }] : intervals
  }

  function readForward(room: number, intervals: readonly Interval[], after: number, limit: number) {
    const rows: FrameRow[] = []
    for (const { first, last } of intervals) {
      if (rows.length === limit) break
      if (last <= after) continue
      const start = Math.max(after, first - 1)
      rows.push(...entries.messagesAfter().all(room, start, Math.min(last, head()), limit - rows.length))
    }
    return rows
  }

  function readBackward(room: number, intervals: readonly Interval[], before: number, limit: number) {
    const rows: FrameRow[] = []
    for (const { first, last } of intervals.toReversed()) {
      if (rows.length === limit) break
      if (first >= before) continue
      const end = Math.min(before, last + 1)
      rows.push(...entries.messagesBefore().all(room, first, end, limit - rows.length))
    }
    return rows
  }

  return {
    readHistory(id: string, readerId: string, { after, before, limit }: HistoryRange) {
      const room = entries.room().get(id)
      const intervals = visible(room, readerId)
      if (!room || !intervals) return undefined
      const cursor = after ?? before
      const sequence = cursor === undefined ? head() + 1 : ids.decode(cursor)
      if (sequence === undefined || sequence > head() + 1) return gone
      if (after !== undefined) {
        if (sequence < room.trimmedThrough || sequence > head()) return gone
        const rows = readForward(room.number, intervals, sequence, limit + 1)
        return { messages: rows.slice(0, limit).map(toMessage), more: rows.length > limit } satisfies Page
      }
      const rows = readBackward(room.number, intervals, sequence, limit + 1)
      const messages = rows.slice(0, limit).reverse().map(toMessage)
      return { messages, more: rows.length > limit } satisfies Page
    },
    /** A message of a room, if the reader may see it. */
    readMessage(sequence: number, readerId: string): StoredMessage | undefined {
      const row = entries.message().get(sequence)
      if (!row) return undefined
      const intervals = visible(entries.roomByNumber().get(row.room), readerId)
      const isVisible = intervals?.some(({ first, last }) => first <= sequence && sequence <= last)
      return isVisible ? toMessage(row) : undefined
    },
  }
}
