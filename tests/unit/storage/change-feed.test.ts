import { describe, expect, test } from 'bun:test'
import { createChangeFeed, type FeedState, maxAgeMs } from '../../../src/storage/postgres/change-feed.ts'
import { parseNotification } from '../../../src/storage/postgres/listener.ts'

const initial: FeedState = {
  epoch: 'e',
  accounts: 3,
  removals: 0,
  head: 0,
  isReplica: false,
  hasRoomWork: false,
  origin: null,
}

/** A feed whose state and whose time a test controls. */
function startFeed() {
  let state = initial
  let time = 0
  let available = true
  let reads = 0
  const errors: unknown[] = []
  const feed = createChangeFeed({
    initial,
    now: () => time,
    async read() {
      reads++
      await Bun.sleep(1)
      if (!available) throw new Error('unavailable')
      return state
    },
    onState() {},
    onError: (error) => errors.push(error),
  })
  return {
    feed,
    errors,
    change: (changes: Partial<FeedState>) => {
      state = { ...state, ...changes }
    },
    interrupt: (interrupted: boolean) => {
      available = !interrupted
    },
    pass: (ms: number) => {
      time += ms
    },
    /** Waits for a read that begins after the call. */
    async read() {
      const before = reads
      feed.wake()
      while (reads < before + 1) await Bun.sleep(1)
      await Bun.sleep(5)
    },
    [Symbol.dispose]: () => feed.close(),
  }
}

describe('the feed of changes', () => {
  test('its version changes with the changes that are read and those of this node, and not otherwise', async () => {
    using opened = startFeed()
    const { feed } = opened
    const versions = [feed.version()]
    await opened.read()
    expect(feed.version()).toBe(versions[0] as number)
    opened.change({ accounts: 4 })
    await opened.read()
    versions.push(feed.version())
    feed.countOwn()
    versions.push(feed.version())
    expect(new Set(versions).size).toBe(3)
    expect(versions).toEqual(versions.toSorted((a, b) => a - b))
  })

  test('without a successful read for 750 ms, every call returns another version, until a read succeeds', async () => {
    using opened = startFeed()
    const { feed } = opened
    await opened.read()
    opened.interrupt(true)
    await opened.read()
    opened.pass(maxAgeMs)
    const before = feed.version()
    expect(feed.version()).toBe(before)
    opened.pass(1)
    const stale = [before, feed.version(), feed.version(), feed.version()]
    expect(new Set(stale).size).toBe(4)
    opened.interrupt(false)
    await opened.read()
    const after = feed.version()
    expect(stale).not.toContain(after + 1)
    expect(feed.version()).toBe(after)
  })

  test('an outage is reported once, and makes the service unready after a while', async () => {
    using opened = startFeed()
    opened.interrupt(true)
    await opened.read()
    await opened.read()
    expect([opened.errors.length, opened.feed.unmet()]).toEqual([1, []])
    opened.pass(2000)
    expect(opened.feed.unmet()).toEqual(['storage-unreachable'])
    opened.interrupt(false)
    await opened.read()
    expect(opened.feed.unmet()).toEqual([])
    // No read has failed, but none has succeeded, either.
    opened.pass(2000)
    expect(opened.feed.unmet()).toEqual(['changes-outdated'])
  })

  test('a server that has become a replica makes the service unready', async () => {
    using opened = startFeed()
    opened.change({ isReplica: true })
    await opened.read()
    expect(opened.feed.unmet()).toEqual(['storage-read-only'])
  })
})

test('notifications are parsed, and those of other programs are ignored', () => {
  expect(parseNotification('accounts')).toEqual({ kind: 'accounts' })
  expect(parseNotification('removals')).toEqual({ kind: 'removals' })
  expect(parseNotification('head 12 a-session')).toEqual({ kind: 'head', head: 12, session: 'a-session' })
  expect(parseNotification('something else')).toBeUndefined()
})
