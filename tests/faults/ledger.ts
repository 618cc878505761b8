import type { components } from '../../src/contract/types.gen.ts'
import type { Chance } from './chance.ts'

export type ChatMessage = components['schemas']['ChatMessage']

/**
 * `acknowledged`: the server said so. `refused`: the server said that nothing was stored.
 * `unknown`: the answer never came, so it may be stored or not, but not twice.
 */
export type Fate = 'acknowledged' | 'refused' | 'unknown'

export interface Sent {
  /** One sender that never has a later message on its way before the server had the earlier one. */
  lane: string
  /** Counts a lane's messages, from 1. */
  number: number
  text: string
  key?: string
  fate: Fate
  /** How often the server said that it cannot store it now. */
  refusals: number
  /** How often its broadcast came to the socket that sent it. */
  echoes: number
}

/** What was sent, and what the server said of it. */
export interface Ledger {
  /** A new message; of a length by chance, unless given in characters. */
  write(lane: string, number: number, chance: Chance, keyed: boolean, length?: number): Sent
  find(text: string): Sent | undefined
  all(): Iterable<Sent>
  /** Answers that no sender should get. */
  complaints: string[]
}

export function createLedger(): Ledger {
  const sentByText = new Map<string, Sent>()
  return {
    write(lane, number, chance, keyed, length = chooseLength(chance)) {
      const text = `${lane} ${number} ${chance.pick(['.', 'ä', '漢', '🎈']).repeat(length)}`
      const sent: Sent = {
        lane,
        number,
        text,
        fate: 'unknown',
        refusals: 0,
        echoes: 0,
        ...(keyed && { key: `${lane.replaceAll(' ', '-')}:${number}` }),
      }
      sentByText.set(text, sent)
      return sent
    },
    find: (text) => sentByText.get(text),
    all: () => sentByText.values(),
    complaints: [],
  }
}

/** Mostly short, some long, so that a commit spans pages of the database in some cases and not in others. */
function chooseLength(chance: Chance): number {
  return chance.percent(90) ? chance.between(0, 40) : chance.between(500, 1500)
}
