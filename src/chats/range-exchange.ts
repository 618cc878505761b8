import type { MessageRange } from './sequencer.ts'

/** What a node does with the messages that others have stored. */
export interface RangeReceiver {
  /** Names the process in notifications. */
  readonly session: string
  /** Whether the message with this sequence has not been delivered yet. */
  isNew(sequence: number): boolean
  offer(range: MessageRange): void
  /** Messages may have been missed until now. */
  missed(): void
}

/**
 * Carries stored messages from node to node, faster than reading them from the database. It may lose, repeat and
 * reorder ranges: the log puts them into order, and reads what is missing.
 */
export interface RangeExchange {
  /** Sends a stored range to the other nodes. Never waits, and keeps no unbounded memory. */
  publish(range: MessageRange): void
  /**
   * Whether messages are expected to arrive by themselves.
   *
   * @param session of the process that has stored them; without it, whether those of any other process are
   */
  isReceiving(session?: string): boolean
  close(): void
}

/** Opens the exchange of a log. */
export type OpenRangeExchange = (receiver: RangeReceiver) => RangeExchange
