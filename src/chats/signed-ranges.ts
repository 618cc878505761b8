import { timingSafeEqual } from 'node:crypto'
import type { RoomDelivery } from './message-log.ts'
import type { MessageRange, SequencedMessage } from './sequencer.ts'

interface SignedRangesOptions {
  readonly key: Uint8Array<ArrayBuffer>
  /** The messages of another log are not accepted, even if the same key has signed them. */
  readonly scope: string
  /** The id of the message with a sequence. */
  readonly encodeId: (sequence: number) => string
}

export interface SignedRanges {
  /** The channel of this log. Only those who know the key can derive it. */
  readonly channel: string
  /** The text of a range, or undefined if its messages have gaps. */
  encode(range: MessageRange): string | undefined
  /** The last sequence that a text claims to contain, without a check of the signature. */
  claimedThrough(text: string): number | undefined
  /** Returns undefined if the text was not made by `encode` with the same key and scope. */
  decode(text: string): MessageRange | undefined
}

/** Changed with the format, so that nodes of both releases ignore each other's messages. */
const format = 'messages 2'

/** The length of an HMAC-SHA256 in base64url. */
const signatureLength = 43

const headerPattern = /^(\d{1,16}) (\d{1,16})$/

const hmac = (key: Uint8Array<ArrayBuffer>, text: string) =>
  new Bun.CryptoHasher('sha256', key).update(text).digest('base64url')

/** User ids contain no commas and no spaces. */
function encodeEntry({ frame, delivery }: SequencedMessage): string {
  if (!delivery) return frame
  const { room, audience = '', joins = '', leaves = '', ends = false } = delivery
  return `${room},${audience},${joins},${leaves},${ends ? 1 : ''} ${frame}`
}

function decodeEntry(text: string): Pick<SequencedMessage, 'frame' | 'delivery'> {
  if (text.startsWith('{')) return { frame: text }
  const end = text.indexOf(' ')
  const [room, audience, joins, leaves, ends] = text.slice(0, end).split(',')
  const delivery: RoomDelivery = {
    room: Number(room),
    audience: audience || undefined,
    joins: joins || undefined,
    leaves: leaves || undefined,
    ends: ends === '1' || undefined,
  }
  return { frame: text.slice(end + 1), delivery }
}

/**
 * Converts ranges of the log to texts that can pass through a less trusted place:
 *
 *     signature \n previous through \n frame \n frame …
 *
 * Before the frame of an entry of a room stands its delivery: `room,audience,joins,leaves,ends`, and a space. Frames
 * contain no line breaks, since JSON escapes them. Replayed texts do no harm: the log delivers each sequence
 * once.
 */
export function createSignedRanges({ key, scope, encodeId }: SignedRangesOptions): SignedRanges {
  const signingKey = new Uint8Array(Buffer.from(hmac(key, `sign ${format} ${scope}`)))

  function header(text: string): { previous: number; through: number; framesAt: number } | undefined {
    const end = text.indexOf('\n', signatureLength + 1)
    if (end === -1 || text[signatureLength] !== '\n') return undefined
    const match = headerPattern.exec(text.slice(signatureLength + 1, end))
    return match ? { previous: Number(match[1]), through: Number(match[2]), framesAt: end + 1 } : undefined
  }

  function isSigned(text: string): boolean {
    const expected = hmac(signingKey, text.slice(signatureLength + 1))
    const signature = text.slice(0, signatureLength)
    // The signature may contain any characters, which can have more bytes than the expected ones.
    const [a, b] = [Buffer.from(signature), Buffer.from(expected)]
    return a.length === b.length && timingSafeEqual(a, b)
  }

  return {
    channel: `parley:${hmac(key, `channel ${format} ${scope}`)}`,
    encode({ previous, through, messages }) {
      if (messages.length === 0 || messages.length !== through - previous) return undefined
      const text = `${previous} ${through}\n${messages.map(encodeEntry).join('\n')}`
      return `${hmac(signingKey, text)}\n${text}`
    },
    claimedThrough: (text) => header(text)?.through,
    decode(text) {
      const found = header(text)
      if (!found || !isSigned(text)) return undefined
      const { previous, through, framesAt } = found
      const frames = text.slice(framesAt).split('\n')
      if (frames.length !== through - previous) return undefined
      const messages = frames.map((frame, index): SequencedMessage => {
        const sequence = previous + index + 1
        return { sequence, id: encodeId(sequence), ...decodeEntry(frame) }
      })
      return { previous, through, messages }
    },
  }
}
