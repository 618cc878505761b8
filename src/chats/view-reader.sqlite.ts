import type { EntryStatements, FrameRow } from './entry-statements.sqlite.ts'
import type { LogGap, LogView, Page, StoredMessage } from './message-log.ts'

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

const firstWindow = 512
const minWindow = 256
/** After a long silence, the window must not be so large that a burst of entries makes a page expensive. */
const maxWindow = 16_384
/** What it costs to look into one more room, in entries that are read in vain. */
const roomCost = 6

/** The key of the messages to all users in `reportedGaps`. */
const lobbyKey = 0

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

/**
 * Reads pages of everything that one user has received. The time of a page is bounded for any number of rooms
 * and any distribution of their entries: a page covers a window of the log, which adapts to the entries found, and
 * is read by the cheaper of two ways.
 */
export function createViewReader(options: ViewReaderOptions) {
  const { entries, lobby, head, encode, toMessage } = options

  /** The gaps after `after` that this view has not reported yet. */
  function findGaps(view: LogView, after: number): LogGap[] {
    const gaps: LogGap[] = []
    view.reportedGaps ??= new Map()
    const reported = view.reportedGaps
    const isNew = (key: number, through: number) => through > Math.max(after, reported.get(key) ?? 0)
    const lobbyThrough = options.lobbyTrimmedThrough()
    if (isNew(lobbyKey, lobbyThrough)) {
      reported.set(lobbyKey, lobbyThrough)
      gaps.push(lobbyGap())
    }
    if (options.roomsTrimmedThrough() <= after) return gaps
    for (const { number, id, trimmedThrough } of entries.trimmedRooms().all(view.userId, after)) {
      if (!isNew(number, trimmedThrough)) continue
      reported.set(number, trimmedThrough)
      const oldest = entries.oldestOf().get(view.userId, number, after)
      gaps.push({ room: id, oldest: oldest ? encode(oldest.sequence) : null })
    }
    return gaps
  }

  const lobbyGap = (): LogGap => {
    const oldest = options.oldestLobby()
    return { room: undefined, oldest: oldest === undefined ? null : encode(oldest) }
  }

  /** The one gap of a client that starts with the oldest entries. It stands for all others. */
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
    const window = view.window ?? firstWindow
    const edge = Math.min(head(), after + window)
    const read = count * roomCost < edge - after ? entries.byRoom() : entries.bySequence()
    const rows = merge(lobby(after, edge, limit + 1), read.all(userId, after, edge, limit + 1))
    const last = rows[limit - 1]
    if (rows.length > limit && last) {
      view.window = Math.min(maxWindow, Math.max(minWindow, 2 * (last.sequence - after)))
      return { rows, end: last.sequence }
    }
    if (rows.length < limit / 2) view.window = Math.min(maxWindow, window * 4)
    return { rows, end: edge }
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
