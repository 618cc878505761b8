import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { createGapHealer } from '../../../src/chats/gap-healer.ts'
import { createSequencer, type MessageRange, type SequencedMessage } from '../../../src/chats/sequencer.ts'

const message = (sequence: number): SequencedMessage => ({
  sequence,
  id: `id-${sequence}`,
  frame: `frame ${sequence}`,
})

/** The messages with these sequences, of which those in `removed` are not stored any more. */
const range = (
  previous: number,
  through: number,
  removed: ReadonlySet<number> = new Set(),
): MessageRange => ({
  previous,
  through,
  messages: Array.from({ length: through - previous }, (_, i) => previous + i + 1)
    .filter((sequence) => !removed.has(sequence))
    .map(message),
})

function startSequencer(
  options: { head?: number; maxRecent?: number; maxHeld?: number; maxHeldLength?: number } = {},
) {
  const delivered: number[] = []
  const sequencer = createSequencer({
    head: 0,
    ...options,
    deliver: ({ sequence }) => delivered.push(sequence),
  })
  return { sequencer, delivered }
}

const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1)

describe('the sequencer', () => {
  test('holds a range after a gap until the gap is closed', () => {
    const { sequencer, delivered } = startSequencer()
    sequencer.offer(range(2, 4))
    sequencer.offer(range(4, 5))
    expect([delivered, sequencer.hasGap(), sequencer.applied()]).toEqual([[], true, 0])
    sequencer.offer(range(0, 2))
    expect([delivered, sequencer.hasGap(), sequencer.applied()]).toEqual([upTo(5), false, 5])
  })

  test('delivers of an overlapping range only what is new', () => {
    const { sequencer, delivered } = startSequencer()
    sequencer.offer(range(0, 3))
    sequencer.offer(range(1, 5))
    sequencer.offer(range(0, 5))
    expect(delivered).toEqual(upTo(5))
  })

  test('passes positions whose messages were removed', async () => {
    const { sequencer, delivered } = startSequencer()
    sequencer.offer(range(0, 6, new Set([2, 5, 6])))
    expect([delivered, sequencer.applied()]).toEqual([[1, 3, 4], 6])
    await sequencer.whenApplied(6, 1)
  })

  test('delivers nothing that was stored before it started', () => {
    const { sequencer, delivered } = startSequencer({ head: 3 })
    sequencer.offer(range(0, 5))
    expect(delivered).toEqual([4, 5])
  })

  test('drops ranges beyond the limit, and still knows that there is a gap', () => {
    const { sequencer, delivered } = startSequencer({ maxHeld: 2 })
    for (const previous of [1, 2, 3, 4]) sequencer.offer(range(previous, previous + 1))
    sequencer.offer(range(0, 1))
    expect([delivered, sequencer.hasGap()]).toEqual([[1, 2, 3], true])
  })

  test('returns recent messages only if none is missing before them', () => {
    const { sequencer } = startSequencer({ maxRecent: 4 })
    sequencer.offer(range(0, 10, new Set([9])))
    const sequences = (after: number, limit: number) => {
      const recent = sequencer.recent(after, limit)
      return recent && [recent.messages.map(({ sequence }) => sequence), recent.more]
    }
    expect(sequences(4, 10)).toBeUndefined()
    expect(sequences(5, 2)).toEqual([[6, 7], true])
    expect(sequences(8, 10)).toEqual([[10], false])
    expect(sequences(10, 10)).toEqual([[], false])
    expect(sequences(11, 10)).toBeUndefined()
    sequencer.forgetRecent()
    expect(sequences(8, 10)).toBeUndefined()
    expect(sequences(10, 10)).toEqual([[], false])
  })
})

/** A step of a schedule: what happens next on one node of a cluster. */
const step = fc.oneof(
  // This node, or another one, stores messages.
  fc.record({ kind: fc.constantFrom('own', 'other'), count: fc.integer({ min: 1, max: 4 }) }),
  // The response to an own append arrives, in any order, possibly after the messages were read.
  fc.record({ kind: fc.constant('response'), index: fc.nat() }),
  // A notification of another node's append arrives; others are lost.
  fc.record({ kind: fc.constant('notification'), index: fc.nat() }),
  fc.record({ kind: fc.constant('remove'), index: fc.nat() }),
  fc.record({ kind: fc.constant('read'), fails: fc.boolean() }),
)

test('every schedule of appends, responses, notifications, removals and reads delivers the log once and in order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 60 }),
      fc.integer({ min: 1, max: 5 }),
      async (steps, pageSize) => {
        let head = 0
        const removed = new Set<number>()
        const removedBeforeDelivery = new Set<number>()
        const responses: MessageRange[] = []
        const notifications: number[] = []
        const { sequencer, delivered } = startSequencer({ maxHeld: 3, maxRecent: 5 })
        let failing = false
        const healer = createGapHealer({
          sequencer,
          patienceMs: 0,
          retryMs: 0,
          onError() {},
          async read(after) {
            if (failing) throw new Error('unavailable')
            const all = range(after, head, removed)
            const messages = all.messages.slice(0, pageSize)
            const full = messages.length === pageSize
            return { ...all, messages, through: full ? (messages.at(-1)?.sequence ?? after) : head, full }
          },
        })
        for (const each of steps) {
          if (each.kind === 'own' || each.kind === 'other') {
            const count = 'count' in each ? each.count : 0
            if (each.kind === 'own') responses.push(range(head, head + count))
            else notifications.push(head + count)
            head += count
          } else if (each.kind === 'response') {
            const [response] = responses.splice('index' in each ? each.index % (responses.length || 1) : 0, 1)
            if (response) sequencer.offer(response)
          } else if (each.kind === 'notification') {
            const [heard] = notifications.splice(
              'index' in each ? each.index % (notifications.length || 1) : 0,
              1,
            )
            if (heard !== undefined) sequencer.hear(heard)
          } else if (each.kind === 'remove') {
            const sequence = 'index' in each && head > 0 ? (each.index % head) + 1 : 0
            removed.add(sequence)
            if (!delivered.includes(sequence)) removedBeforeDelivery.add(sequence)
          } else {
            failing = 'fails' in each && each.fails
            await healer.now().catch(() => {})
            failing = false
          }
          // Whatever happened, what was delivered is a part of the log without repetitions, in order.
          expect(delivered).toEqual([...new Set(delivered)].sort((a, b) => a - b))
          // Recent messages continue every cursor that they cover.
          for (let cursor = 0; cursor <= head; cursor++) {
            const recent = sequencer.recent(cursor, 100)
            if (!recent) continue
            expect(recent.messages.map(({ sequence }) => sequence)).toEqual(
              delivered.filter((sequence) => sequence > cursor),
            )
          }
        }
        // The poll finds what no notification has told.
        await healer.now()
        healer.stop()
        expect(sequencer.applied()).toBe(head)
        const due = upTo(head).filter((sequence) => !removedBeforeDelivery.has(sequence))
        for (const sequence of due) expect(delivered).toContain(sequence)
      },
    ),
    { numRuns: 300 },
  )
})

test('ranges after a gap are held up to a total length, and what was not held is read', () => {
  const { sequencer, delivered } = startSequencer({ maxHeldLength: 'frame 2'.length * 2 })
  for (let previous = 1; previous < 5; previous++) sequencer.offer(range(previous, previous + 1))
  sequencer.offer(range(0, 1))
  expect([delivered, sequencer.hasGap()]).toEqual([upTo(3), true])
  sequencer.offer(range(3, 5))
  // The length is counted again from zero.
  for (let previous = 6; previous < 8; previous++) sequencer.offer(range(previous, previous + 1))
  sequencer.offer(range(5, 6))
  expect(delivered).toEqual(upTo(8))
})

test('a message that arrives after its removal is delivered, and not kept among the recent ones', () => {
  const { sequencer, delivered } = startSequencer({ maxRecent: 3 })
  sequencer.offer(range(0, 1))
  sequencer.forgetRecent(3)
  sequencer.offer(range(1, 5))
  expect(delivered).toEqual(upTo(5))
  expect(sequencer.recent(2, 10)).toBeUndefined()
  expect(sequencer.recent(3, 10)?.messages).toEqual([message(4), message(5)])
})

describe('the gap healer', () => {
  test('does not read while every gap closes by itself, although there is always a newer one', async () => {
    const { sequencer } = startSequencer()
    let reads = 0
    const healer = createGapHealer({
      sequencer,
      patienceMs: 20,
      onError() {},
      async read(after) {
        reads++
        return { ...range(after, 100), full: false }
      },
    })
    for (let sequence = 1; sequence <= 30; sequence++) {
      sequencer.hear(sequence)
      healer.soon()
      await Bun.sleep(2)
      sequencer.hear(sequence + 1)
      sequencer.offer(range(sequence - 1, sequence))
    }
    expect(reads).toBe(0)
    sequencer.hear(100)
    while (sequencer.hasGap()) await Bun.sleep(1)
    expect(reads).toBe(1)
    healer.stop()
  })

  test('waits a moment, and does not read a gap that closes by itself', async () => {
    const { sequencer } = startSequencer()
    let reads = 0
    const healer = createGapHealer({
      sequencer,
      patienceMs: 1,
      onError() {},
      async read(after) {
        reads++
        return { ...range(after, 3), full: false }
      },
    })
    sequencer.offer(range(1, 2))
    healer.soon()
    sequencer.offer(range(0, 1))
    await Bun.sleep(20)
    expect(reads).toBe(0)
    sequencer.hear(3)
    healer.soon()
    while (sequencer.hasGap()) await Bun.sleep(1)
    expect(reads).toBe(1)
    healer.stop()
  })

  test('repeats a failed read, and reports an outage once', async () => {
    const { sequencer, delivered } = startSequencer()
    let reads = 0
    const errors: unknown[] = []
    const healer = createGapHealer({
      sequencer,
      patienceMs: 0,
      retryMs: 0,
      onError: (error) => errors.push(error),
      async read(after) {
        if (++reads < 5) throw new Error('unavailable')
        return { ...range(after, 2), full: false }
      },
    })
    sequencer.hear(2)
    healer.soon()
    while (sequencer.hasGap()) await Bun.sleep(1)
    expect([delivered, errors.length]).toEqual([[1, 2], 1])
    healer.stop()
  })

  test('a call during a read resolves only after another read, since that one may have been too early', async () => {
    const { sequencer, delivered } = startSequencer()
    let head = 1
    const healer = createGapHealer({
      sequencer,
      onError() {},
      async read(after) {
        const page = { ...range(after, head), full: false }
        await Bun.sleep(1)
        return page
      },
    })
    const first = healer.now()
    head = 2
    await Promise.all([healer.now(), healer.now()])
    await first
    expect(delivered).toEqual([1, 2])
    healer.stop()
  })
})
