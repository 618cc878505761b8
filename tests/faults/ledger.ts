import type { components } from '../../src/contract/types.gen.ts'
import type { Random } from './random.ts'

export type ChatMessage = components['schemas']['ChatMessage']

/**
 * `acknowledged`: the server confirmed the message. `refused`: the server reported that it was not stored.
 * `unknown`: there was no response, so it may or may not be stored, but not twice.
 */
export type Outcome = 'acknowledged' | 'refused' | 'unknown'

export interface Sent {
  /** The name of the sender. The server receives the messages of one sender in order. */
  sender: string
  /** The number of the message, counted for each sender from 1. */
  number: number
  text: string
  key?: string
  outcome: Outcome
  /** How often the server reported that it cannot store the message now. */
  refusals: number
  /** How often the sender received the broadcast of this message. */
  broadcasts: number
}

/** The sent messages and their outcomes. */
export interface Ledger {
  /** Adds a new message. Its length is random unless `length` is given, in characters. */
  add(sender: string, number: number, random: Random, keyed: boolean, length?: number): Sent
  find(text: string): Sent | undefined
  all(): Iterable<Sent>
  /** Responses that the server should never send. */
  unexpected: string[]
}

export function createLedger(): Ledger {
  const sentByText = new Map<string, Sent>()
  return {
    add(sender, number, random, keyed, length = chooseLength(random)) {
      const text = `${sender} ${number} ${random.pick(['.', 'ä', '漢', '🎈']).repeat(length)}`
      const sent: Sent = {
        sender,
        number,
        text,
        outcome: 'unknown',
        refusals: 0,
        broadcasts: 0,
        ...(keyed && { key: `${sender.replaceAll(' ', '-')}:${number}` }),
      }
      sentByText.set(text, sent)
      return sent
    },
    find: (text) => sentByText.get(text),
    all: () => sentByText.values(),
    unexpected: [],
  }
}

/** Mostly short and some long, so that some commits span several database pages and some do not. */
function chooseLength(random: Random): number {
  return random.percent(90) ? random.between(0, 40) : random.between(500, 1500)
}
