import type { SQL } from 'bun'
import type { Pool } from '../storage/postgres/pool.ts'
import {
  type LobbyGap,
  readIntervalCount,
  readLobbyGap,
  readRoomsAt,
  readTrimmedRooms,
  readViewPage,
} from './entry-statements.postgres.ts'
import type { LogRow } from './log-rows.postgres.ts'
import type { LogGap, LogView, Page, StoredMessage } from './message-log.ts'
import type { SequencedMessage, Sequencer } from './sequencer.ts'
import { endPage, lobbyKey, planPage, reportGap } from './view-pages.ts'

interface ViewReaderOptions {
  readonly pool: Pool
  readonly sequencer: Pick<Sequencer, 'applied' | 'recent'>
  readonly encode: (sequence: number) => string
  readonly toMessage: (row: LogRow) => SequencedMessage
}

/** The part of a page that was read from the database. */
interface StoredPage {
  readonly messages: SequencedMessage[]
  readonly end: number
  readonly gaps: LogGap[]
  /** The rooms of the user at `end`, if that was the head. */
  readonly rooms: number[] | undefined
}

/**
 * Returns those of the next entries of the log that a user receives, and changes the rooms as the entries do.
 *
 * @param rooms the rooms of the user before the first entry
 */
export function followEntries(
  userId: string,
  rooms: Set<number>,
  entries: readonly SequencedMessage[],
): SequencedMessage[] {
  return entries.filter(({ delivery }) => {
    if (!delivery) return true
    const { room, audience, joins, leaves, ends } = delivery
    if (joins === userId) rooms.add(room)
    const receives = audience === undefined ? rooms.has(room) : audience === userId
    if (leaves === userId || ends) rooms.delete(room)
    return receives
  })
}

/** Reads pages of everything that one user has received (`planPage`). They end at the place that this node has applied. */
export function createViewReader({ pool, sequencer, encode, toMessage }: ViewReaderOptions) {
  const encodeOldest = (oldest: number | null) => (oldest === null ? null : encode(oldest))

  async function findGaps(sql: SQL, view: LogView, after: number, lobby: LobbyGap): Promise<LogGap[]> {
    const gaps: LogGap[] = []
    if (reportGap(view, lobbyKey, { through: lobby.through, after }))
      gaps.push({ room: undefined, oldest: encodeOldest(lobby.oldest) })
    for (const room of await readTrimmedRooms(sql, view.userId, after)) {
      if (!reportGap(view, room.number, { through: room.through, after })) continue
      gaps.push({ room: room.id, oldest: encodeOldest(room.oldest) })
    }
    return gaps
  }

  /**
   * A client that starts with the oldest entries receives one gap, for the messages to all users. The gaps of its rooms
   * are recorded as reported, so that it does not receive them later.
   */
  async function startOver(sql: SQL, view: LogView, lobby: LobbyGap): Promise<LogGap[]> {
    view.reportedGaps = new Map()
    await findGaps(sql, view, 0, lobby)
    return [{ room: undefined, oldest: encodeOldest(lobby.oldest) }]
  }

  async function readStored(
    sql: SQL,
    view: LogView,
    { sequence, limit }: { sequence: number | undefined; limit: number },
  ): Promise<StoredPage> {
    const after = sequence ?? 0
    const head = sequencer.applied()
    const intervals = await readIntervalCount(sql, view.userId, after)
    const plan = planPage(view, after, head, intervals)
    // Without rooms, only the messages to all users are read, which are found at once wherever they are.
    const through = intervals === 0 ? head : plan.edge
    const page = { after, through, limit: limit + 1, byRoom: plan.byRoom || intervals === 0 }
    const rows = await readViewPage(sql, view.userId, page)
    const end = endPage(view, { ...plan, edge: through }, rows, { after, limit })
    // After the rows were read, so that what was removed before is a gap of this page or of an earlier one.
    const lobby = await readLobbyGap(sql)
    const gaps =
      sequence === undefined ? await startOver(sql, view, lobby) : await findGaps(sql, view, after, lobby)
    const rooms = end === head ? await readRoomsAt(sql, view.userId, end) : undefined
    return { messages: rows.slice(0, limit).map(toMessage), end, gaps, rooms }
  }

  return {
    /** The page of a view after a sequence of this log; undefined to start with the oldest entries. */
    async read(view: LogView, sequence: number | undefined, limit: number): Promise<Page> {
      const stored = await pool.read(({ $client }) => readStored($client, view, { sequence, limit }))
      const { gaps, rooms } = stored
      let { end } = stored
      const messages: StoredMessage[] = stored.messages
      let isAtHead = rooms !== undefined
      const applied = sequencer.applied()
      // While the page was read, entries were delivered. They are taken from memory, so that a replay ends at any rate.
      if (rooms && end < applied) {
        const recent = sequencer.recent(end, limit)
        isAtHead = recent !== undefined && !recent.more
        if (recent) {
          const followed = new Set(rooms)
          messages.push(...followEntries(view.userId, followed, recent.messages))
          rooms.splice(0, rooms.length, ...followed)
          end = isAtHead ? applied : (recent.messages.at(-1)?.sequence ?? end)
        }
      }
      const start = encode(sequence ?? 0)
      return { start, end: encode(end), messages, more: !isAtHead, gaps, ...(isAtHead && rooms && { rooms }) }
    },
  }
}
