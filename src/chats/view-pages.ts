import type { LogView } from './message-log.ts'

const firstWindow = 512
const minWindow = 256
/** After a long silence, the window must not be so large that a burst of entries makes a page expensive. */
const maxWindow = 16_384
/** What it costs to look into one more room, in entries that are read in vain. */
const roomCost = 6

/** The part of the log that the next page of a view covers. */
export interface PagePlan {
  readonly window: number
  /** The last sequence of the page, if it is not full before. */
  readonly edge: number
  /** Whether to look into each room, instead of at each entry. */
  readonly byRoom: boolean
}

/**
 * Plans the page of a view after a sequence. A page covers a window of the log, which adapts to the entries found, and
 * is read by the cheaper of two ways. Its time is therefore bounded for any number of rooms.
 *
 * @param rooms the number of memberships that reach beyond the sequence
 */
export function planPage(view: LogView, after: number, head: number, rooms: number): PagePlan {
  const window = view.window ?? firstWindow
  const edge = Math.min(head, after + window)
  return { window, edge, byRoom: rooms * roomCost < edge - after }
}

/**
 * Adapts the window to the rows of a page, and returns the sequence through which the page covers the log.
 *
 * @param rows at most one more than `limit`
 */
export function endPage(
  view: LogView,
  { window, edge }: PagePlan,
  rows: readonly { readonly sequence: number }[],
  { after, limit }: { readonly after: number; readonly limit: number },
): number {
  const last = rows[limit - 1]
  if (rows.length > limit && last) {
    view.window = Math.min(maxWindow, Math.max(minWindow, 2 * (last.sequence - after)))
    return last.sequence
  }
  if (rows.length < limit / 2) view.window = Math.min(maxWindow, window * 4)
  return edge
}

/** The key of the messages to all users in `reportedGaps`. */
export const lobbyKey = 0

/**
 * Returns whether the view has not reported a gap through this sequence yet, and records it as reported.
 *
 * @param key the number of the room
 */
export function reportGap(
  view: LogView,
  key: number,
  { through, after }: { through: number; after: number },
) {
  view.reportedGaps ??= new Map()
  if (through <= Math.max(after, view.reportedGaps.get(key) ?? 0)) return false
  view.reportedGaps.set(key, through)
  return true
}
