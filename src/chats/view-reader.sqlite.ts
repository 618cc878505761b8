import type { EntryStatements, FrameRow } from './entry-statements.sqlite.ts'
import type { LogGap, LogView, Page, StoredMessage } from './message-log.ts'
import { endPage, lobbyKey, planPage, reportGap } from './view-pages.ts'

interface ViewReaderOptions {
  readonly entries: EntryStatements
  /** The messages to all users after one sequence, through another one. */
  readonly lobby: (after: number, through: number, limit: number) => readonly FrameRow[]
  readonly oldestLobby: () => number | undefined
  readonly head: () => number
  /**
   * The sequence through which messages to all users were removed, or memberships were deleted: the view
   * can no longer name their rooms.
   */
  readonly lobbyTrimmedThrough: () => number
  /** The highest sequence through which entries of any room were removed. */
  readonly roomsTrimmedThrough: () => number
  readonly encode: (sequence: number) => string
  readonly toMessage: (row: FrameRow) => StoredMessage
}

/** Merges two ascending lists. */
function merge(one: readonly FrameRow[], other: readonly FrameRow[]): readonly FrameRow[] {
  if (other.length === 0) return one
  if (one.length === 0) return other
  const merged: FrameRow[] = []
  let [left, right] = [0, 0]
  while (left < one.length || right < other.length) {
    const [a, b] = [one[left], other[right]]
    if (b === undefined || (a !== undefined && a.sequence < b.sequence)) {
      merged.push(a as FrameRow)
      left++
    } else {
      merged.push(b)
      right++
    }
  }
  return merged
}

/** Reads pages of everything that one user has received (`planPage`). */
export function createViewReader(options: ViewReaderOptions) {
  const { entries, lobby, head, encode, toMessage } = options

  /** The gaps after `after` that this view has not reported yet. */
  function findGaps(view: LogView, after: number): LogGap[] {
    const gaps: LogGap[] = []
    const through = options.lobbyTrimmedThrough()
    if (reportGap(view, lobbyKey, { through, after })) gaps.push(lobbyGap())
    if (options.roomsTrimmedThrough() <= after) return gaps
    for (const { number, id, trimmedThrough } of entries.trimmedRooms().all(view.userId, after)) {
      if (!reportGap(view, number, { through: trimmedThrough, after })) continue
      const oldest = entries.oldestOf().get(view.userId, number, after)
      gaps.push({ room: id, oldest: oldest ? encode(oldest.sequence) : null })
    }
    return gaps
  }

  const lobbyGap = (): LogGap => {
    const oldest = options.oldestLobby()
    return { room: undefined, oldest: oldest === undefined ? null : encode(oldest) }
  }

  /**
   * A client that starts with the oldest entries receives one gap, for the messages to all users. The gaps of its rooms
   * are recorded as reported, so that it does not receive them later.
   */
  function startOver(view: LogView): LogGap[] {
    view.reportedGaps = new Map([[lobbyKey, options.lobbyTrimmedThrough()]])
    for (const { number, trimmedThrough } of entries.trimmedRooms().all(view.userId, 0)) {
      view.reportedGaps.set(number, trimmedThrough)
    }
    return [lobbyGap()]
  }

  function readRows(view: LogView, after: number, limit: number): { rows: readonly FrameRow[]; end: number } {
    const { userId } = view
    const { count = 0 } = entries.countIntervals().get(userId, after) ?? {}
    if (count === 0) {
      const rows = lobby(after, head(), limit + 1)
      const last = rows[limit - 1]
      return { rows, end: rows.length > limit && last ? last.sequence : head() }
    }
    const plan = planPage(view, after, head(), count)
    const { edge, byRoom } = plan
    const read = byRoom ? entries.byRoom() : entries.bySequence()
    const rows = merge(lobby(after, edge, limit + 1), read.all(userId, after, edge, limit + 1))
    return { rows, end: endPage(view, plan, rows, { after, limit }) }
  }

  return {
    /** The page of a view after a sequence of this log; undefined to start with the oldest entries. */
    read(view: LogView, sequence: number | undefined, limit: number): Page {
      const after = sequence ?? 0
      const gaps = sequence === undefined ? startOver(view) : findGaps(view, sequence)
      const { rows, end } = readRows(view, after, limit)
      const atHead = end === head()
      return {
        start: encode(after),
        end: encode(end),
        messages: rows.slice(0, limit).map(toMessage),
        more: !atHead,
        gaps,
        ...(atHead && {
          rooms: entries
            .roomsAt()
            .all(view.userId, end)
            .map(({ room }) => room),
        }),
      }
    },
  }
}
