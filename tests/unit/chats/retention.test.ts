import { describe, expect, test } from 'bun:test'
import { createLogClock, type LogClock } from '../../../src/chats/log-clock.ts'
import { openSqliteMessageLog } from '../../../src/chats/message-log.sqlite.ts'
import { gone } from '../../../src/chats/message-log.ts'
import { findRemovable, type StoredTime } from '../../../src/chats/retention.ts'
import { openSqlite } from '../../../src/storage/sqlite/connection.ts'
import { createFakeClock } from '../support/fake-clock.ts'
import { temporaryFolder } from '../support/service.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const yearMs = 365 * dayMs
const retentionDays = 30

interface Sent extends StoredTime {
  /** When it was really sent, in milliseconds since the start of the test. */
  readonly age: () => number
}

/** A log in memory whose time passes in hours, and which records the real age of what it removes. */
function startLog({ retentionCount = 1_000_000 } = {}) {
  const clock = createFakeClock()
  let elapsed = 0
  let rows: Sent[] = []
  let head = 0
  let logClock: LogClock = createLogClock({ clock, newestSentAt: 0 })
  const removed: number[] = []
  const log = {
    head: () => head,
    oldest: (limit: number) => rows.slice(0, limit),
    newestThrough: (sequence: number) => rows.findLast((row) => row.sequence <= sequence),
  }

  function trim(): void {
    for (;;) {
      const through = findRemovable({ retentionDays, retentionCount, clock: logClock, log }, 10)
      if (through === undefined) return
      removed.push(...rows.filter(({ sequence }) => sequence <= through).map(({ age }) => age()))
      rows = rows.filter(({ sequence }) => sequence > through)
    }
  }

  /** Lets time pass as the service sees it: it looks at the clock often. */
  function pass(ms: number): void {
    for (let left = ms; left > 0; left -= 60_000) {
      clock.advance(Math.min(left, 60_000))
      logClock.now()
    }
    elapsed += ms
    trim()
  }

  return {
    clock,
    removed,
    count: () => rows.length,
    pass,
    send(): void {
      const sentAt = logClock.stamp()
      logClock.stored(sentAt)
      const sentWhen = elapsed
      rows.push({ sequence: ++head, sentAt, age: () => elapsed - sentWhen })
    },
    days(count: number, { sending = true } = {}): void {
      for (let hour = 0; hour < 24 * count; hour++) {
        if (sending) this.send()
        pass(hourMs)
      }
    },
    /** Stops the service for some time. */
    restart(stoppedMs = 0): void {
      clock.restart()
      clock.advance(stoppedMs)
      elapsed += stoppedMs
      logClock = createLogClock({ clock, newestSentAt: rows.at(-1)?.sentAt ?? 0 })
      trim()
    },
  }
}

/** No message was removed before its time. */
const expectNoLoss = ({ removed }: { removed: readonly number[] }) =>
  expect(removed.filter((age) => age < retentionDays * dayMs)).toEqual([])

test('messages are removed once they are retentionDays old, and at most a day and an hour later', () => {
  const log = startLog()
  log.days(40)
  expect(log.removed.length).toBeGreaterThan(0)
  expectNoLoss(log)
  expect(Math.max(...log.removed)).toBeLessThanOrEqual((retentionDays + 1) * dayMs + hourMs)
})

test('a log without new messages is emptied while the service runs', () => {
  const log = startLog()
  log.days(2)
  log.days(retentionDays + 1, { sending: false })
  expect(log.count()).toBe(0)
  expectNoLoss(log)
})

test('after a long stop, the messages are removed within a day, or once a new message is a day old', () => {
  const log = startLog()
  log.days(2)
  log.restart(yearMs)
  log.send()
  log.days(1, { sending: false })
  expect(log.count()).toBe(1)
  expectNoLoss(log)
})

describe('a forward jump removes nothing that is young', () => {
  const jumps = [20 * dayMs, 40 * dayMs, yearMs, 50 * yearMs]

  test.each(jumps)('while the service runs, for some seconds (%d ms)', (ms) => {
    const log = startLog()
    log.days(40)
    log.clock.jump(ms)
    for (let second = 0; second < 10; second++) {
      log.pass(1000)
      log.send()
    }
    log.clock.jump(-ms)
    log.days(2)
    expectNoLoss(log)
  })

  test.each(jumps)('while the service runs, for 23 hours (%d ms)', (ms) => {
    const log = startLog()
    log.days(40)
    log.clock.jump(ms)
    for (let hour = 0; hour < 23; hour++) {
      log.send()
      log.pass(hourMs)
    }
    log.clock.jump(-ms)
    log.days(40)
    expectNoLoss(log)
  })

  test.each(jumps)('when the service starts with it, with restarts in between (%d ms)', (ms) => {
    const log = startLog()
    log.days(40)
    log.clock.jump(ms)
    for (let start = 0; start < 20; start++) {
      log.restart(60_000)
      log.send()
      log.pass(hourMs)
    }
    log.clock.jump(-ms)
    log.restart()
    log.days(5)
    expectNoLoss(log)
  })

  test('for a log that was idle for longer than the jump', () => {
    const log = startLog()
    log.days(3)
    log.clock.jump(yearMs)
    log.restart()
    log.days(0.5, { sending: false })
    log.clock.jump(-yearMs)
    log.days(20, { sending: false })
    expectNoLoss(log)
    expect(log.count()).toBe(72)
  })
})

test('a backward jump removes nothing that is young', () => {
  const log = startLog()
  log.days(40)
  for (const ms of [dayMs, yearMs]) {
    log.clock.jump(-ms)
    log.days(0.5)
    log.clock.jump(ms)
    log.days(2)
  }
  expectNoLoss(log)
})

test('messages from the future leave with those that were sent around them', () => {
  const log = startLog()
  log.days(2)
  // More of them than one step removes.
  log.clock.jump(yearMs)
  log.days(0.9)
  log.clock.jump(-yearMs)
  log.days(2)
  log.days(retentionDays + 2)
  expectNoLoss(log)
  expect(log.count()).toBeLessThanOrEqual((retentionDays + 2) * 24)
  expect(Math.max(...log.removed)).toBeLessThan((retentionDays + 3) * dayMs)
})

test('the limit on the number holds whatever the clock shows', () => {
  const log = startLog({ retentionCount: 24 })
  log.days(2)
  log.clock.jump(-yearMs)
  log.days(2)
  log.clock.jump(5 * yearMs)
  log.days(2)
  expect(log.count()).toBe(24)
})

test('messages after the head, which the disk has not stored yet, are not removed', () => {
  const clock = createFakeClock()
  const rows = [1, 2, 3, 4].map((sequence) => ({ sequence, sentAt: clock.epochMs() }))
  const log = {
    head: () => 2,
    countEdge: () => 3,
    oldest: (limit: number) => rows.slice(0, limit),
    newestThrough: (sequence: number) => rows.findLast((row) => row.sequence <= sequence),
  }
  const logClock = createLogClock({ clock, newestSentAt: 0 })
  expect(findRemovable({ retentionDays, retentionCount: 1, clock: logClock, log }, 10)).toBe(2)
})

test('the message log in SQLite keeps its messages when it is opened with a wrong clock', async () => {
  await using folder = await temporaryFolder()
  const clock = createFakeClock()
  const user = { id: 'u1', username: 'someone' }

  /** Opens the log, waits until it has been trimmed, adds a message and returns the times of all. */
  async function run(): Promise<number[]> {
    const { queries, write, close } = openSqlite(folder.path)
    const { promise: trimmed, resolve } = Promise.withResolvers<void>()
    let opened = false
    const log = openSqliteMessageLog({
      queries,
      write,
      clock: {
        ...clock,
        monotonicMs() {
          // Trimming follows synchronously.
          if (opened) setImmediate(resolve)
          return clock.monotonicMs()
        },
      },
      retentionDays,
      retentionCount: 1000,
      onError: (error) => expect.unreachable(String(error)),
    })
    opened = true
    // An empty log has nothing to trim.
    const page = await log.readAfter(undefined, 1)
    if (page !== gone && page.messages.length > 0) await trimmed
    await log.append({ user, message: 'hello', idempotencyKey: undefined })
    const rows = queries.all<{ sent_at: number }>('select sent_at from messages order by sequence')
    log.close()
    close()
    return rows.map(({ sent_at }) => sent_at)
  }

  const start = clock.epochMs()
  expect(await run()).toEqual([start])
  clock.advance(29 * dayMs)
  expect(await run()).toHaveLength(2)
  clock.advance(2 * dayMs)
  expect(await run()).toHaveLength(3)
  // The message of day 31 is a day old now, so the first one is known to be older than 30 days.
  clock.advance(dayMs)
  expect(await run()).toEqual([29, 31, 32].map((day) => start + day * dayMs))
  clock.jump(yearMs)
  expect(await run()).toHaveLength(4)
  expect(await run()).toHaveLength(5)
  clock.jump(-yearMs)
  expect(await run()).toHaveLength(6)
})
