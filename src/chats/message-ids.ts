/**
 * Encodes message ids. An id consists of the epoch of the log, by which the ids of a replaced log are
 * recognised, and the sequence of the message, in base 36 and with a fixed width, so that ids sort in log
 * order.
 */
export interface MessageIds {
  encode(sequence: number): string
  /** Returns the sequence, or undefined if the id is not from this log. */
  decode(id: string): number | undefined
}

const epochWidth = 8
/** The number of base-36 digits of the largest safe integer. */
const sequenceWidth = 11

export function createMessageIds(epoch: string): MessageIds {
  const prefix = `${epoch}-`
  /** The prefix with leading zeros, by the number of digits that follow. */
  const zeroPadding = Array.from(
    { length: sequenceWidth + 1 },
    (_, digits) => prefix + '0'.repeat(sequenceWidth - digits),
  )
  const sequencePattern = new RegExp(`^[0-9a-z]{${sequenceWidth}}$`)
  return {
    encode(sequence) {
      const digits = sequence.toString(36)
      return zeroPadding[digits.length] + digits
    },
    decode(id) {
      if (!id.startsWith(prefix)) return undefined
      const digits = id.slice(prefix.length)
      if (!sequencePattern.test(digits)) return undefined
      const sequence = Number.parseInt(digits, 36)
      return Number.isSafeInteger(sequence) ? sequence : undefined
    },
  }
}

/** A random epoch for a new log. */
export const createEpoch = (): string =>
  crypto
    .getRandomValues(new Uint32Array(2))
    .reduce((text, number) => text + number.toString(36).padStart(7, '0'), '')
    .slice(-epochWidth)
