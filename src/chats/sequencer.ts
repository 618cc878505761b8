import type { StoredMessage } from './message-log.ts'

export interface SequencedMessage extends StoredMessage {
  readonly sequence: number
}

/** All messages that are stored with a sequence greater than `previous` and at most `through`, in their order. */
export interface MessageRange {
  readonly previous: number
  readonly through: number
  readonly messages: readonly SequencedMessage[]
}

interface SequencerOptions {
  /** The head of the log when this node started: earlier messages are not delivered. */
  readonly head: number
  /** Receives each message once, in the order of the log. */
  readonly deliver: (message: SequencedMessage) => void
  /** The number of recent messages that are kept for readers. */
  readonly maxRecent?: number
  /** The total length of their frames. */
  readonly maxRecentLength?: number
  /** The number of ranges that wait for an earlier one. */
  readonly maxHeld?: number
  /** The total length of their frames. */
  readonly maxHeldLength?: number
}

export interface Sequencer {
  /** The sequence through which all messages have been delivered. */
  applied(): number
  /** Takes a range of the log, whether it was stored by this node, sent by another one, or read. Ranges may repeat and overlap. */
  offer(range: MessageRange): void
  /** Records that the log has a message with this sequence. */
  hear(head: number): void
  /** The highest sequence that the log is known to have. */
  heard(): number
  /** The number of messages that the log is known to have and that were not delivered yet. */
  lag(): number
  /** Whether the log is known to have messages that were not delivered yet. */
  hasGap(): boolean
  /** Ends a gap that does not exist: the log has no messages after `head`. */
  confirmHead(head: number): void
  /** Resolves when all messages through `sequence` have been delivered, or after `timeoutMs`. */
  whenApplied(sequence: number, timeoutMs: number): Promise<void>
  /** The messages and the entries of rooms after `after`, if all of them are among the recent ones. */
  recent(after: number, limit: number): RecentMessages | undefined
  /** The same without the entries of rooms. */
  recentToAll(after: number, limit: number): RecentMessages | undefined
  /**
   * Forgets the recent messages, because stored messages were removed.
   *
   * @param through the removed messages have at most this sequence: a removed message that arrives late is not
   *   kept, either
   */
  forgetRecent(through?: number): void
}

export interface RecentMessages {
  readonly messages: SequencedMessage[]
  /** Whether more messages follow. */
  readonly more: boolean
}

/** The total length of the frames. */
const lengthOf = ({ messages }: MessageRange) =>
  messages.reduce((length, { frame }) => length + frame.length, 0)

interface Waiter {
  readonly sequence: number
  readonly resolve: () => void
}

/**
 * Puts the messages that arrive on several ways, in any order, into the one order of the log: those that this
 * node has stored, those that other nodes send, and those that it reads. A range that follows a gap is
 * held until the gap is closed.
 */
export function createSequencer(options: SequencerOptions): Sequencer {
  const { deliver, maxRecent = 5000, maxRecentLength = 8_000_000 } = options
  const { maxHeld = 1000, maxHeldLength = 16_000_000 } = options
  let applied = options.head
  let heard = options.head
  /** Ordered by `previous`. */
  let held: MessageRange[] = []
  let heldLength = 0
  /** The last messages before `applied`, without a gap after `recentStart`. */
  let recentMessages: SequencedMessage[] = []
  let recentStart = applied
  let recentLength = 0
  let waiters: Waiter[] = []

  function trimRecent(): void {
    // Not for each message, since removing from the front of an array moves the rest.
    if (recentMessages.length <= maxRecent * 1.25 && recentLength <= maxRecentLength * 1.25) return
    let dropped = 0
    while (recentMessages.length - dropped > maxRecent || recentLength > maxRecentLength) {
      const { sequence, frame } = recentMessages[dropped++] as SequencedMessage
      recentLength -= frame.length
      recentStart = sequence
    }
    recentMessages = recentMessages.slice(dropped)
  }

  function apply({ through, messages }: MessageRange): void {
    const added = messages.filter(({ sequence }) => sequence > applied)
    applied = through
    for (const message of added) {
      if (message.sequence <= recentStart) continue
      recentMessages.push(message)
      recentLength += message.frame.length
    }
    trimRecent()
    for (const message of added) deliver(message)
  }

  /** Waits with the range. The healer reads what does not fit. */
  function hold(range: MessageRange): void {
    const length = lengthOf(range)
    if (held.length >= maxHeld || heldLength + length > maxHeldLength) return
    heldLength += length
    const index = held.findIndex(({ previous }) => previous > range.previous)
    if (index === -1) held.push(range)
    else held.splice(index, 0, range)
  }

  function applyHeld(): void {
    let count = 0
    for (const range of held) {
      if (range.previous > applied) break
      count++
      heldLength -= lengthOf(range)
      if (range.through > applied) apply(range)
    }
    held = held.slice(count)
  }

  function notifyWaiters(): void {
    if (waiters.length === 0) return
    const done = waiters.filter(({ sequence }) => sequence <= applied)
    waiters = waiters.filter(({ sequence }) => sequence > applied)
    for (const { resolve } of done) resolve()
  }

  /** The index of the first recent message after `after`; undefined if earlier ones are missing. */
  function findRecent(after: number): number | undefined {
    if (after < recentStart || after > applied) return undefined
    let [start, end] = [0, recentMessages.length]
    while (start < end) {
      const middle = (start + end) >> 1
      if ((recentMessages[middle] as SequencedMessage).sequence > after) end = middle
      else start = middle + 1
    }
    return start
  }

  return {
    applied: () => applied,
    offer(range) {
      heard = Math.max(heard, range.through)
      if (range.through <= applied) return
      if (range.previous > applied) {
        hold(range)
        return
      }
      apply(range)
      applyHeld()
      notifyWaiters()
    },
    hear(head) {
      heard = Math.max(heard, head)
    },
    heard: () => heard,
    lag: () => heard - applied,
    hasGap: () => heard > applied,
    confirmHead(head) {
      if (held.length === 0) heard = Math.max(applied, head)
    },
    async whenApplied(sequence, timeoutMs) {
      if (sequence <= applied) return
      const { promise, resolve } = Promise.withResolvers<void>()
      const waiter = { sequence, resolve }
      waiters.push(waiter)
      const timer = setTimeout(() => {
        waiters = waiters.filter((each) => each !== waiter)
        resolve()
      }, timeoutMs)
      await promise
      clearTimeout(timer)
    },
    recent(after, limit) {
      const start = findRecent(after)
      if (start === undefined) return undefined
      const messages = recentMessages.slice(start, start + limit)
      return { messages, more: start + messages.length < recentMessages.length }
    },
    recentToAll(after, limit) {
      const start = findRecent(after)
      if (start === undefined) return undefined
      const messages: SequencedMessage[] = []
      for (let index = start; index < recentMessages.length; index++) {
        const message = recentMessages[index] as SequencedMessage
        if (message.delivery) continue
        if (messages.length === limit) return { messages, more: true }
        messages.push(message)
      }
      return { messages, more: false }
    },
    forgetRecent(through = applied) {
      recentMessages = []
      recentLength = 0
      recentStart = Math.max(applied, through)
    },
  }
}
