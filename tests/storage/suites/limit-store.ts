import { beforeEach, describe, expect, test } from 'bun:test'
import type { LimitStore } from '../../../src/limits/limit-store.ts'
import type { MaybePromise } from '../../../src/maybe-promise.ts'

export interface LimitStoreEngine {
  readonly name: string
  /**
   * Opens an empty store. The returned function opens it for one more node.
   *
   * @param now seconds since the epoch, with fractions, as the clock of the store
   */
  open(now: () => number): MaybePromise<() => MaybePromise<LimitStore>>
}

/** The guarantees of `LimitStore`, for every engine. */
export function limitStoreSuite({ name, open }: LimitStoreEngine): void {
  describe(`the limit store in ${name}`, () => {
    let time: number
    let connect: () => MaybePromise<LimitStore>
    let first: LimitStore
    let second: LimitStore

    beforeEach(async () => {
      time = 1_800_000_000
      connect = await open(() => time)
      first = await connect()
      second = await connect()
    })

    const one = (count: number, seconds = 60) => [{ key: 'a', count, seconds }]
    const totalOf = async (counted: ReturnType<LimitStore['count']>) => (await counted).totals[0]?.total
    const secondsOf = async (counted: ReturnType<LimitStore['count']>) => (await counted).totals[0]?.seconds

    test('adds the counts of all nodes', async () => {
      expect(await totalOf(first.count(1, one(3)))).toBe(3)
      expect(await totalOf(second.count(1, one(4)))).toBe(7)
      expect(await totalOf(first.count(2, one(1)))).toBe(8)
    })

    test('returns the totals in the order of the counts', async () => {
      const deltas = ['-a', 'A', 'B', '_', 'a'].map((key, index) => ({
        key,
        count: index + 1,
        seconds: 60 - index,
      }))
      const { totals } = await first.count(1, deltas)
      expect(totals.map(({ total }) => total)).toEqual([1, 2, 3, 4, 5])
      expect(totals.map(({ seconds }) => Math.round(seconds))).toEqual([60, 59, 58, 57, 56])
    })

    test('does not add a batch twice, but returns its totals', async () => {
      await first.count(1, one(3))
      await second.count(1, one(4))
      expect(await totalOf(first.count(1, one(3)))).toBe(7)
      expect(await totalOf(first.count(2, one(1)))).toBe(8)
    })

    test('does not add a batch that arrives after a later one', async () => {
      await first.count(2, one(1))
      expect(await totalOf(first.count(1, one(5)))).toBe(1)
    })

    test('starts a window with the first count, and a new one after its end', async () => {
      expect(await secondsOf(first.count(1, one(3)))).toBeCloseTo(60, 1)
      time += 20
      expect(await secondsOf(second.count(1, one(3)))).toBeCloseTo(40, 1)
      time += 39
      expect(await totalOf(first.count(2, one(1)))).toBe(7)
      time += 1
      const { totals } = await second.count(2, one(1, 30))
      expect(totals[0]?.total).toBe(1)
      expect(totals[0]?.seconds).toBeCloseTo(30, 1)
    })

    test('keeps each counter separate, and takes many in one batch', async () => {
      const deltas = Array.from({ length: 500 }, (_, index) => ({
        key: `key-${String(index).padStart(3, '0')}`,
        count: index + 1,
        seconds: 60,
      }))
      await first.count(1, deltas)
      const { totals } = await second.count(1, deltas)
      expect(totals.map(({ total }) => total)).toEqual(deltas.map(({ count }) => 2 * count))
    })

    test('accepts an empty batch', async () => {
      expect((await first.count(1, [])).totals).toEqual([])
    })

    test('adds every count exactly once while all nodes count the same clients', async () => {
      const third = await connect()
      const keys = Array.from({ length: 20 }, (_, index) => `key-${String(index).padStart(2, '0')}`)
      const deltas = keys.map((key) => ({ key, count: 1, seconds: 60 }))
      await Promise.all(
        [first, second, third].map(async (store) => {
          for (let batch = 1; batch <= 20; batch++) await store.count(batch, deltas)
        }),
      )
      const { totals } = await first.count(21, deltas)
      expect(totals.map(({ total }) => total)).toEqual(keys.map(() => 61))
    })

    test('counts the nodes that were heard of within ten seconds', async () => {
      expect((await first.beat()).nodes).toBe(1)
      expect((await second.beat()).nodes).toBe(2)
      time += 6
      expect((await first.count(1, one(1))).nodes).toBe(2)
      time += 6
      expect((await first.beat()).nodes).toBe(1)
      expect((await second.hold([], 1)).nodes).toBe(2)
    })

    test('says whether it knows the node', async () => {
      expect((await first.beat()).known).toBe(false)
      expect((await first.beat()).known).toBe(true)
      expect((await first.count(1, one(1))).known).toBe(true)
      await first.leave()
      expect((await first.count(2, one(1))).known).toBe(false)
      expect((await second.hold([], 1)).known).toBe(false)
    })

    const hold = async (store: LimitStore, held: number, wanted: number, key = 'u') =>
      (await store.hold([{ key, held, wanted }], 5)).granted[0]

    test('grants sockets up to the limit of all nodes, each user separately', async () => {
      expect(await hold(first, 0, 3)).toBe(3)
      expect(await hold(second, 0, 4)).toBe(2)
      expect(await hold(first, 3, 4)).toBe(3)
      expect(await hold(first, 0, 4, 'v')).toBe(4)
    })

    test('grants the same number again if the response was lost', async () => {
      expect(await hold(first, 0, 3)).toBe(3)
      expect(await hold(first, 0, 3)).toBe(3)
      expect(await hold(second, 0, 3)).toBe(2)
    })

    test('never takes back sockets that are open, even beyond the limit', async () => {
      expect(await hold(first, 5, 5)).toBe(5)
      expect(await hold(second, 4, 6)).toBe(4)
    })

    test('makes room when sockets close', async () => {
      await hold(first, 5, 5)
      expect(await hold(second, 0, 1)).toBe(0)
      await hold(first, 4, 4)
      expect(await hold(second, 0, 1)).toBe(1)
      await hold(first, 0, 0)
      expect(await hold(second, 1, 9)).toBe(5)
    })

    test('no longer counts the sockets of a node that has left, or was not heard of for ten seconds', async () => {
      const third = await connect()
      await hold(first, 2, 2)
      await hold(second, 2, 2)
      expect(await hold(third, 0, 5)).toBe(1)
      await first.leave()
      expect(await hold(third, 1, 5)).toBe(3)
      time += 6
      await third.beat()
      expect(await hold(third, 3, 5)).toBe(3)
      time += 5
      expect(await hold(third, 3, 5)).toBe(5)
    })

    test('counts the sockets of a node as long as it beats', async () => {
      await hold(first, 5, 5)
      for (let seconds = 0; seconds < 30; seconds += 5) {
        time += 5
        await first.beat()
      }
      expect(await hold(second, 0, 1)).toBe(0)
    })

    test('grants the last socket to one of several nodes that want it at once', async () => {
      const stores = await Promise.all(Array.from({ length: 4 }, connect))
      for (const key of ['u1', 'u2', 'u3', 'u4', 'u5']) {
        const granted = await Promise.all(stores.map((store) => hold(store, 0, 2, key)))
        expect(granted.reduce((sum = 0, count = 0) => sum + count)).toBe(5)
      }
    })
  })
}
