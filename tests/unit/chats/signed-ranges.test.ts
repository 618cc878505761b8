import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { RoomDelivery } from '../../../src/chats/message-log.ts'
import type { MessageRange } from '../../../src/chats/sequencer.ts'
import { createSignedRanges } from '../../../src/chats/signed-ranges.ts'

const key = new Uint8Array(32).fill(7)
const encodeId = (sequence: number) => `id-${sequence}`

const open = (options: Partial<Parameters<typeof createSignedRanges>[0]> = {}) =>
  createSignedRanges({ key, scope: 'a log', encodeId, ...options })

/** A range of messages with any texts, as JSON contains them. */
const ranges = fc
  .record({
    previous: fc.nat({ max: Number.MAX_SAFE_INTEGER - 100 }),
    texts: fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 20 }),
  })
  .map(({ previous, texts }): MessageRange => {
    const messages = texts.map((text, index) => {
      const sequence = previous + index + 1
      return { sequence, id: encodeId(sequence), frame: JSON.stringify({ message: text }) }
    })
    return { previous, through: previous + texts.length, messages }
  })

/** What arrives after a text was sent as UTF-8. */
const transmit = (text: string | undefined) => Buffer.from(text ?? '').toString()

test('every range arrives as it was sent', () => {
  fc.assert(
    fc.property(ranges, (range) => {
      const text = transmit(open().encode(range))
      expect(open().decode(text)).toEqual(range)
      expect(open().claimedThrough(text)).toBe(range.through)
    }),
  )
})

test('the deliveries of the entries of rooms arrive as they were sent', () => {
  const deliveries: RoomDelivery[] = [
    { room: 7 },
    { room: 7, joins: 'user-1' },
    { room: 7, audience: 'user-2', leaves: 'user-2' },
    { room: 8, ends: true },
  ]
  const messages = deliveries.map((delivery, index) => {
    const sequence = index + 1
    return { sequence, id: encodeId(sequence), frame: `{"event":"${sequence}, a b"}`, delivery }
  })
  const range = { previous: 0, through: messages.length, messages }
  expect(open().decode(transmit(open().encode(range)))).toEqual(range)
})

test('a text in which one character differs, is missing or was added is refused', () => {
  fc.assert(
    fc.property(ranges, fc.nat(), fc.string({ unit: 'binary', maxLength: 2 }), (range, position, other) => {
      const text = transmit(open().encode(range))
      const index = position % (text.length + 1)
      const changed = text.slice(0, index) + other + text.slice(index + 1)
      expect(open().decode(changed)).toEqual(changed === text ? range : undefined)
    }),
    { numRuns: 500 },
  )
})

test('any other text is refused', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(open().decode(text)).toBeUndefined()
      expect(open().decode(`${'x'.repeat(43)}\n0 1\n${text}`)).toBeUndefined()
    }),
  )
})

test('a text of another log, or signed with another key, is refused and has another channel', () => {
  const range = { previous: 0, through: 1, messages: [{ sequence: 1, id: 'id-1', frame: '{}' }] }
  const text = transmit(open().encode(range))
  for (const other of [open({ scope: 'another log' }), open({ key: new Uint8Array(32).fill(8) })]) {
    expect(other.decode(text)).toBeUndefined()
    expect(other.channel).not.toBe(open().channel)
  }
})

test('a range that lacks a message is not encoded', () => {
  const messages = [{ sequence: 2, id: 'id-2', frame: '{}' }]
  expect(open().encode({ previous: 0, through: 2, messages })).toBeUndefined()
  expect(open().encode({ previous: 0, through: 0, messages: [] })).toBeUndefined()
})
