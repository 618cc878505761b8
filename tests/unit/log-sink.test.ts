import { expect, test } from 'bun:test'
import { createLogSink } from '../../src/log-sink.ts'

type Outcome = 'written' | 'fails' | 'throws' | Promise<number>

/** An output whose writes have the outcome that `next` returns, and the text that it accepted. */
function createOutput(next: () => Outcome) {
  const accepted: string[] = []
  let opened = 0
  let ended = 0
  const open = () => {
    opened++
    return {
      write(text: unknown) {
        const outcome = next()
        if (outcome === 'throws') throw new Error('EBADF')
        if (outcome === 'fails') return Promise.reject(new Error('EPIPE'))
        accepted.push(String(text))
        return outcome === 'written' ? String(text).length : outcome
      },
      flush: () => 0,
      end: () => {
        ended++
        return Promise.reject(new Error('it is broken'))
      },
    }
  }
  const sink = createLogSink({ open, dropReport: (count) => `${count} dropped\n` })
  return { sink, accepted, counts: () => ({ opened, ended }) }
}

test('flush writes all lines in one block', async () => {
  const { sink, accepted } = createOutput(() => 'written')
  for (const line of ['a\n', 'b\n', 'c\n']) sink.write(line)
  expect(accepted).toEqual([])
  await sink.flush()
  expect(accepted).toEqual(['a\nb\nc\n'])
  await sink.flush()
  expect(accepted).toHaveLength(1)
})

test('a full block is written at once', () => {
  const { sink, accepted } = createOutput(() => 'written')
  sink.write(`${'a'.repeat(16 * 1024)}\n`)
  expect(accepted).toHaveLength(1)
})

test('lines wait in order while a write is pending', async () => {
  const pending = Promise.withResolvers<number>()
  let first = true
  const { sink, accepted } = createOutput(() => {
    if (!first) return 'written'
    first = false
    return pending.promise
  })
  sink.write('a\n')
  const flushed = sink.flush()
  sink.write('b\n')
  sink.write('c\n')
  expect(accepted).toEqual(['a\n'])
  pending.resolve(2)
  await flushed
  expect(accepted).toEqual(['a\n', 'b\nc\n'])
})

test('a pending write does not hold up flush, and the lines beyond the backlog are dropped and counted', async () => {
  const pending = Promise.withResolvers<number>()
  let first = true
  const { sink, accepted } = createOutput(() => {
    if (!first) return 'written'
    first = false
    return pending.promise
  })
  sink.write('first\n')
  await sink.flush()
  const line = `${'a'.repeat(1023)}\n`
  for (let count = 0; count < 1024 + 7; count++) sink.write(line)
  expect(accepted).toEqual(['first\n'])
  pending.resolve(6)
  await sink.flush()
  expect(accepted.slice(1).join('')).toBe(`${line.repeat(1024)}7 dropped\n`)
})

for (const failure of ['fails', 'throws'] as const) {
  test(`the lines of a write that ${failure} are counted, and the output is opened again`, async () => {
    const outcomes: Outcome[] = [failure, failure]
    const { sink, accepted, counts } = createOutput(() => outcomes.shift() ?? 'written')
    sink.write('a\n')
    sink.write('b\n')
    await sink.flush()
    sink.write('c\n')
    // This attempt writes the report alone, so that it loses no further line.
    await sink.flush()
    expect(accepted).toEqual([])
    await sink.flush()
    // The first line break ends a line that the failed write may have left incomplete.
    expect(accepted.join('')).toBe('\n2 dropped\nc\n')
    expect(counts()).toEqual({ opened: 3, ended: 2 })
    sink.write('d\n')
    await sink.flush()
    expect(accepted.at(-1)).toBe('d\n')
  })
}
