import { describe, expect, test } from 'bun:test'
import { createLogClock, maxHoldMs, settleMs, stepBackMs } from '../../../src/chats/log-clock.ts'
import { createFakeClock } from '../support/fake-clock.ts'

const second = 1000
const yearMs = 365 * 86_400_000
const start = Date.UTC(2026, 0, 1)

/** A log that stores one message, or none, per second, and whose clock is read every second as well. */
function startLog(clock = createFakeClock(start), newestSentAt = 0) {
  const logClock = createLogClock({ clock, newestSentAt })
  const sent: number[] = []
  return {
    clock,
    logClock,
    sent,
    send(): number {
      const sentAt = logClock.stamp()
      logClock.stored(sentAt)
      sent.push(sentAt)
      return sentAt
    },
    run(seconds: number, each: () => void = () => {}) {
      for (let i = 0; i < seconds; i++) {
        clock.advance(second)
        logClock.now()
        each()
      }
    },
  }
}

const ascending = (times: readonly number[]) => times.toSorted((a, b) => a - b)

test('without a jump, messages have the time of the wall clock', () => {
  const { clock, run, send } = startLog()
  run(100, () => expect(send()).toBe(clock.epochMs()))
})

test('small corrections are followed, and never lead back', () => {
  const { clock, run, send, sent } = startLog()
  for (let i = 0; i < 100; i++) {
    run(1)
    clock.jump(i % 2 === 0 ? 700 : -900)
    send()
  }
  expect(sent).toEqual(ascending(sent))
  expect(Math.abs(clock.epochMs() - (sent.at(-1) ?? 0))).toBeLessThan(second)
})

describe('a wall clock that is a year ahead for five seconds', () => {
  test.each([yearMs, 100 * yearMs, -yearMs])('and back (%d ms) does not reach the log', (ms) => {
    const { clock, run, send, sent } = startLog()
    run(10, send)
    const real = () => start + (clock.monotonicMs() - 1000)
    clock.jump(ms)
    run(5, () => {
      const sentAt = send()
      expect(sentAt).toBeLessThanOrEqual(real())
      expect(sentAt).toBeGreaterThanOrEqual(real() - 5 * second)
    })
    clock.jump(-ms)
    run(100, () => expect(send()).toBe(real()))
    expect(sent).toEqual(ascending(sent))
  })
})

test('a wall clock that goes back: the time is held and is right again once the clock has caught up', () => {
  const { clock, run, send, sent } = startLog()
  run(10, send)
  const before = clock.epochMs()
  clock.jump(-1000 * second)
  run(999, () => expect(send()).toBe(before))
  run(500, () => expect(send()).toBe(clock.epochMs()))
  expect(sent).toEqual(ascending(sent))
})

test('a forward jump that lasts, such as after a suspend, is followed after a minute', () => {
  const { clock, run, send, sent } = startLog()
  clock.jump(8 * 3600 * second)
  run(settleMs / second, () => expect(send()).toBeLessThan(clock.epochMs()))
  run(10, () => expect(send()).toBe(clock.epochMs()))
  expect(sent).toEqual(ascending(sent))
})

test('a jump that changes again has to last anew', () => {
  const { clock, run, send } = startLog()
  for (let i = 0; i < 10; i++) {
    clock.jump(yearMs)
    run(settleMs / second - 10, () => expect(send()).toBeLessThan(start + yearMs))
  }
})

describe('messages that were stored while the clock was a year ahead', () => {
  test('hold the time for ten minutes after the correction, and then it steps back once', () => {
    const { clock, run, send, sent } = startLog(createFakeClock(start + yearMs))
    run(100, send)
    const newest = sent.at(-1) as number
    clock.jump(-yearMs)
    run(stepBackMs / second, () => expect(send()).toBe(newest))
    run(100, () => expect(send()).toBe(clock.epochMs()))
    expect(sent.filter((time, i) => time < (sent[i - 1] ?? 0))).toHaveLength(1)
  })

  test('do the same after a restart', () => {
    const { clock, run, send } = startLog(createFakeClock(start), start + yearMs)
    run(stepBackMs / second, () => expect(send()).toBe(start + yearMs))
    run(2)
    expect(send()).toBe(clock.epochMs())
  })

  test('and while the clock agrees with them again, the ten minutes start anew', () => {
    const { clock, run, send } = startLog(createFakeClock(start), start + yearMs)
    run(stepBackMs / second - 100, () => expect(send()).toBe(start + yearMs))
    clock.jump(yearMs)
    run(settleMs / second + 1)
    const newest = send()
    expect(newest).toBe(clock.epochMs())
    clock.jump(-yearMs)
    run(stepBackMs / second - 100, () => expect(send()).toBe(newest))
  })
})

test('a newest message that is less than an hour ahead is waited for, and never stepped back over', () => {
  const { clock, run, send, sent } = startLog(createFakeClock(start), start + maxHoldMs)
  run(maxHoldMs / second + 10, send)
  expect(sent).toEqual(ascending(sent))
  expect(sent.at(-1)).toBe(clock.epochMs())
})

test('a day without a jump confirms the clock, and a jump that lasts ends this', () => {
  const { clock, run, logClock } = startLog()
  const hour = 3600
  run(24 * hour - 1)
  expect(logClock.confirmedDayAgo()).toBeUndefined()
  run(1)
  expect(logClock.confirmedDayAgo()).toBe(start)
  clock.jump(yearMs)
  expect(logClock.confirmedDayAgo()).toBeUndefined()
  clock.jump(-yearMs)
  expect(logClock.confirmedDayAgo()).toBe(start)
  clock.jump(yearMs)
  run(settleMs / second + 1)
  clock.jump(-yearMs)
  run(settleMs / second + 1)
  expect(logClock.confirmedDayAgo()).toBeUndefined()
  run(24 * hour)
  expect(logClock.confirmedDayAgo()).toBe(clock.epochMs() - 24 * hour * second)
})
