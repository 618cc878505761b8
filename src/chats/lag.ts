/** How long messages may be missing on a node before it counts as outdated. */
const lateAfterMs = 2000

/** Whether a node delivers the messages that are stored. */
export interface Lag {
  /** Records the head of the log in the database, and the newest message that this node has delivered. */
  see(head: number, applied: number): void
  isLate(applied: number): boolean
}

/**
 * Under load, a node is always a few messages behind the head that was read last. It is late only if it does not
 * reach one and the same head for two seconds.
 *
 * @param now monotonic milliseconds
 */
export function createLag(now: () => number = () => performance.now()): Lag {
  let target = 0
  let since = now()
  return {
    see(head, applied) {
      if (applied < target) return
      target = head
      since = now()
    },
    isLate: (applied) => applied < target && now() - since > lateAfterMs,
  }
}
