/**
 * A message's id: the log's incarnation, so that the id of a log that was wiped is known as foreign,
 * and the message's place in it; in base 36, of fixed width, so that ids sort as messages do.
 */
export interface MessageIds {
  encode(sequence: number): string
  /** The sequence, or undefined where the id is not of this log. */
  decode(id: string): number | undefined
}

const incarnationWidth = 8
/** As many digits as the largest safe integer needs. */
const sequenceWidth = 11

export function createMessageIds(incarnation: string): MessageIds {
  const prefix = `${incarnation}-`
  /** What stands before so many digits. */
  const heads = Array.from({ length: sequenceWidth + 1 }, (_, n) => prefix + '0'.repeat(sequenceWidth - n))
  const form = new RegExp(`^[0-9a-z]{${sequenceWidth}}$`)
  return {
    encode(sequence) {
      const digits = sequence.toString(36)
      return heads[digits.length] + digits
    },
    decode(id) {
      if (!id.startsWith(prefix)) return undefined
      const digits = id.slice(prefix.length)
      if (!form.test(digits)) return undefined
      const sequence = Number.parseInt(digits, 36)
      return Number.isSafeInteger(sequence) ? sequence : undefined
    },
  }
}

/** A new log's name, random. */
export const createIncarnation = (): string =>
  crypto
    .getRandomValues(new Uint32Array(2))
    .reduce((text, number) => text + number.toString(36).padStart(7, '0'), '')
    .slice(-incarnationWidth)
