import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { unconfirmedShare } from '../../../src/limits/rate-limits.shared.ts'
import type { Count } from '../../../src/limits/rate-limits.ts'
import type { MaybePromise } from '../../../src/maybe-promise.ts'
import { until } from '../../storage/support/message-logs.ts'
import { admitted, type LimitsNode, openLimitsNodes } from './support.ts'

const repeat = <Result>(times: number, run: (index: number) => Result): Result[] =>
  Array.from({ length: times }, (_, index) => run(index))

describe('the share of a node', () => {
  test('is at most a tenth of what is left for all nodes together, and nothing of a small quota', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -5, max: 1_000_000 }),
        fc.integer({ min: 1, max: 100 }),
        (left, nodes) => {
          const share = unconfirmedShare(left, nodes)
          expect(share * nodes).toBeLessThanOrEqual(Math.max(0, left / 10))
          if (left < 20) expect(share).toBeLessThanOrEqual(0)
        },
      ),
    )
  })
})

describe('three nodes', () => {
  test('admit a burst of 600 requests up to the quota of 120 and a tenth of it', async () => {
    await using cluster = await openLimitsNodes(3)
    const count = await admitted(repeat(600, (index) => cluster.node(index % 3).count()))
    expect(count).toBeGreaterThanOrEqual(120)
    expect(count).toBeLessThanOrEqual(132)
  })

  test('admit exactly a small quota, such as that of logins', async () => {
    await using cluster = await openLimitsNodes(3, { quota: 10 })
    expect(await admitted(repeat(300, (index) => cluster.node(index % 3).count()))).toBe(10)
  })

  test('refuse what exceeds the quota with the remaining seconds of the common window', async () => {
    await using cluster = await openLimitsNodes(3, { quota: 2 })
    expect(await cluster.node(0).count()).toMatchObject({ remaining: 1, resetSeconds: 60 })
    cluster.pass(20)
    expect(await cluster.node(1).count()).toMatchObject({ exceeded: false, remaining: 0, resetSeconds: 40 })
    expect(await cluster.node(2).count()).toEqual({ exceeded: true, remaining: 0, resetSeconds: 40 })
    cluster.pass(39.5)
    expect(await cluster.node(0).count()).toEqual({ exceeded: true, remaining: 0, resetSeconds: 1 })
    cluster.pass(1)
    expect(await cluster.node(0).count()).toMatchObject({ exceeded: false, remaining: 1 })
  })

  test('do not ask the store for a client that has used up the quota', async () => {
    await using cluster = await openLimitsNodes(2, { quota: 1 })
    await cluster.node(0).count()
    await cluster.node(0).count()
    const calls = cluster.model.calls.filter((call) => call === 'count').length
    for (const counted of repeat(100, () => cluster.node(0).count()))
      expect(counted).not.toBeInstanceOf(Promise)
    expect(cluster.model.calls.filter((call) => call === 'count')).toHaveLength(calls)
  })

  test('decide at once and send many requests in one batch as long as the quota is far away', async () => {
    await using cluster = await openLimitsNodes(3, { quota: 100_000 })
    for (const counted of repeat(1000, (index) => cluster.node(0).count(`client ${index % 10}`))) {
      expect(counted).not.toBeInstanceOf(Promise)
    }
    await until(() => cluster.model.totals().length === 10)
    expect(cluster.model.totals()).toEqual(repeat(10, () => 100))
    expect(cluster.model.calls.filter((call) => call === 'count')).toHaveLength(1)
  })

  test('send neither names nor hashes without the secret', async () => {
    await using cluster = await openLimitsNodes(2, { quota: 1 })
    await cluster.node(0).count('192.0.2.1')
    await cluster.node(1).count('192.0.2.1')
    const [key, ...others] = cluster.model.keys()
    expect(others).toEqual([])
    expect(key).toMatch(/^[\w-]{22}$/)
  })

  test('learn of a client that other nodes have counted', async () => {
    await using cluster = await openLimitsNodes(3, { quota: 1000 })
    const counts = repeat(30, () => cluster.node(0).count())
    expect(await admitted(counts)).toBe(30)
    await until(() => cluster.model.totals()[0] === 30)
    await cluster.node(1).count()
    await until(() => cluster.model.totals()[0] === 31)
    await cluster.settle()
    expect(await cluster.node(1).count()).toMatchObject({ remaining: 1000 - 32 })
  })
})

test('twelve nodes that know of each other admit together at most a tenth more', async () => {
  await using cluster = await openLimitsNodes(12, { quota: 240 })
  await until(() => cluster.model.calls.filter((call) => call === 'beat').length >= 36)
  const count = await admitted(repeat(1200, (index) => cluster.node(index % 12).count()))
  expect(count).toBeGreaterThanOrEqual(240)
  expect(count).toBeLessThanOrEqual(264)
})

describe('while the store does not respond', () => {
  /** Loses the responses or the requests of all nodes, and waits until all have noticed. */
  async function interrupt(
    cluster: Awaited<ReturnType<typeof openLimitsNodes>>,
    how: 'lost request' | 'lost response',
  ) {
    cluster.model.let(() => how)
    await until(() => cluster.nodes.every(({ reports }) => reports.at(-1) === 'not shared'))
  }

  test('each node applies the quota on its own, without waiting', async () => {
    await using cluster = await openLimitsNodes(3, { quota: 10 })
    await interrupt(cluster, 'lost request')
    for (const node of cluster.nodes) {
      const counts = repeat(50, () => node.count())
      for (const counted of counts) expect(counted).not.toBeInstanceOf(Promise)
      expect(await admitted(counts)).toBe(10)
    }
  })

  test.each(['lost request', 'lost response'] as const)(
    'a request that waits is decided: %s',
    async (how) => {
      await using cluster = await openLimitsNodes(2, { quota: 10 })
      cluster.model.let(() => how)
      expect(await admitted(repeat(50, () => cluster.node(0).count()))).toBe(10)
    },
  )

  test('requests are reported afterwards, each once', async () => {
    await using cluster = await openLimitsNodes(3, { quota: 1_000_000 })
    const names = ['a', 'b', 'c']
    let sent = 0
    for (const how of ['lost request', 'lost response'] as const) {
      for (let round = 0; round < 5; round++) {
        const send = () => {
          for (const node of cluster.nodes) {
            for (const name of names) {
              sent++
              node.count(name)
            }
          }
        }
        send()
        await Bun.sleep(6)
        send()
        cluster.model.let(() => how)
        send()
        await Bun.sleep(12)
        send()
        cluster.model.let(() => 'answered')
        await Bun.sleep(6)
      }
    }
    const total = () => cluster.model.totals().reduce((sum, each) => sum + each, 0)
    await until(() => total() >= sent)
    await cluster.settle()
    expect(total()).toBe(sent)
  })

  test('an outage is reported once, and so is its end', async () => {
    await using cluster = await openLimitsNodes(2)
    for (let outage = 1; outage <= 2; outage++) {
      await interrupt(cluster, 'lost request')
      repeat(100, () => cluster.node(0).count())
      await Bun.sleep(20)
      cluster.model.let(() => 'answered')
      await until(() => cluster.nodes.every(({ reports }) => reports.at(-1) === 'shared'))
      expect(cluster.node(0).reports).toHaveLength(2 * outage)
    }
  })

  test('requests of a window that has ended are not reported as those of the next one', async () => {
    await using cluster = await openLimitsNodes(2, { quota: 1000 })
    await interrupt(cluster, 'lost request')
    await admitted(repeat(100, () => cluster.node(0).count()))
    cluster.pass(61)
    cluster.model.let(() => 'answered')
    await until(() => cluster.node(0).reports.at(-1) === 'shared')
    await cluster.settle()
    expect(cluster.model.totals()).toEqual([])
    expect(await cluster.node(0).count()).toMatchObject({ remaining: 999 })
  })

  test('a window does not start again when the store responds', async () => {
    await using cluster = await openLimitsNodes(2, { quota: 10 })
    await interrupt(cluster, 'lost request')
    await admitted(repeat(10, () => cluster.node(0).count()))
    cluster.pass(50)
    cluster.model.let(() => 'answered')
    await until(() => cluster.model.totals()[0] === 10)
    expect(await cluster.node(1).count()).toEqual({ exceeded: true, remaining: 0, resetSeconds: 10 })
  })
})

test('a store that has lost its data only forgets counts', async () => {
  await using cluster = await openLimitsNodes(3, { quota: 10 })
  expect(await admitted(repeat(30, (index) => cluster.node(index % 3).count()))).toBe(10)
  cluster.model.flush()
  const again = await admitted(repeat(30, (index) => cluster.node(index % 3).count()))
  expect(again).toBeLessThanOrEqual(10)
  expect(cluster.nodes.flatMap(({ reports }) => reports)).toEqual([])
})

test('a node that stops sends its last counts', async () => {
  await using cluster = await openLimitsNodes(2, { quota: 10_000 })
  await admitted(repeat(7, () => cluster.node(0).count()))
  await cluster.node(0).close()
  expect(cluster.model.totals()).toEqual([7])
})

type Step = { readonly node: number } & (
  | { readonly kind: 'count'; readonly times: number }
  | { readonly kind: 'pass'; readonly seconds: number }
  | { readonly kind: 'wait' }
)

const step: fc.Arbitrary<Step> = fc.record({ node: fc.integer({ min: 0, max: 2 }) }).chain(({ node }) =>
  fc.oneof(
    fc.record({
      node: fc.constant(node),
      kind: fc.constant('count' as const),
      times: fc.integer({ min: 1, max: 60 }),
    }),
    fc.record({
      node: fc.constant(node),
      kind: fc.constant('pass' as const),
      seconds: fc.integer({ min: 1, max: 20 }),
    }),
    fc.record({ node: fc.constant(node), kind: fc.constant('wait' as const) }),
  ),
)

test('in any order of requests, a window admits its quota and at most a tenth more', async () => {
  const quotas = fc.constantFrom(1, 3, 10, 30, 120)
  await fc.assert(
    fc.asyncProperty(quotas, fc.array(step, { maxLength: 20 }), async (quota, steps) => {
      await using cluster = await openLimitsNodes(3, { quota, window: 1000 })
      const counts: MaybePromise<Count>[] = []
      for (const each of steps) {
        const node = cluster.node(each.node) as LimitsNode
        if (each.kind === 'count') counts.push(...repeat(each.times, () => node.count()))
        else if (each.kind === 'pass') cluster.pass(each.seconds)
        else await Bun.sleep(1)
      }
      const count = await admitted(counts)
      expect(count).toBeGreaterThanOrEqual(Math.min(quota, counts.length))
      expect(count).toBeLessThanOrEqual(quota + Math.floor(quota / 10))
    }),
    { numRuns: 60 },
  )
})
