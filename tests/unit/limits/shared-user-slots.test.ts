import { describe, expect, test } from 'bun:test'
import type { MaybePromise } from '../../../src/maybe-promise.ts'
import { until } from '../../storage/support/message-logs.ts'
import { openLimitsNodes } from './support.ts'

const granted = async (results: readonly MaybePromise<boolean>[]) =>
  (await Promise.all(results)).filter(Boolean).length

const repeat = <Result>(times: number, run: (index: number) => Result): Result[] =>
  Array.from({ length: times }, (_, index) => run(index))

describe('the sockets of one user on three nodes', () => {
  test('are limited together, also if all are opened at once', async () => {
    await using cluster = await openLimitsNodes(3)
    expect(await granted(repeat(60, (index) => cluster.node(index % 3).acquire()))).toBe(10)
    expect(await granted(repeat(60, (index) => cluster.node(index % 3).acquire('another')))).toBe(10)
  })

  test('make room on every node as soon as one closes', async () => {
    await using cluster = await openLimitsNodes(3, { maxSocketsPerUser: 3 })
    for (const node of cluster.nodes) expect(await node.acquire()).toBe(true)
    expect(await cluster.node(1).acquire()).toBe(false)
    cluster.node(0).release()
    await cluster.settle()
    expect(await granted([cluster.node(1).acquire(), cluster.node(2).acquire()])).toBe(1)
  })

  test('stop counting ten seconds after their node was killed', async () => {
    await using cluster = await openLimitsNodes(2, { maxSocketsPerUser: 5 })
    expect(await granted(repeat(5, () => cluster.node(0).acquire()))).toBe(5)
    // A killed node sends nothing more.
    cluster.model.let((node) => (node === 'node 1' ? 'lost request' : 'answered'))
    cluster.pass(5)
    expect(await cluster.node(1).acquire()).toBe(false)
    await until(() => cluster.model.calls.filter((call) => call === 'beat').length > 20)
    cluster.pass(6)
    expect(await granted(repeat(9, () => cluster.node(1).acquire()))).toBe(5)
  })

  test('are not counted any more after a node has stopped', async () => {
    await using cluster = await openLimitsNodes(2, { maxSocketsPerUser: 1 })
    expect(await cluster.node(0).acquire()).toBe(true)
    await cluster.node(0).close()
    expect(await cluster.node(1).acquire()).toBe(true)
  })
})

describe('while the store does not respond', () => {
  test.each(['lost request', 'lost response'] as const)(
    'each node applies the limit alone: %s',
    async (how) => {
      await using cluster = await openLimitsNodes(2, { maxSocketsPerUser: 3 })
      cluster.model.let(() => how)
      for (const node of cluster.nodes) expect(await granted(repeat(9, () => node.acquire()))).toBe(3)
      // Sockets that are open stay open, but no more are opened.
      cluster.model.let(() => 'answered')
      await until(() => cluster.nodes.every(({ reports }) => reports.at(-1) === 'shared'))
      await cluster.settle()
      cluster.node(0).release()
      await cluster.settle()
      expect(await cluster.node(0).acquire()).toBe(false)
      for (let i = 0; i < 2; i++) cluster.node(0).release()
      cluster.node(1).release()
      await cluster.settle()
      expect(await granted(repeat(9, () => cluster.node(0).acquire()))).toBe(1)
    },
  )

  test('closed sockets are reported afterwards', async () => {
    await using cluster = await openLimitsNodes(2, { maxSocketsPerUser: 3 })
    expect(await granted(repeat(3, () => cluster.node(0).acquire()))).toBe(3)
    cluster.model.let(() => 'lost request')
    await until(() => cluster.nodes.every(({ reports }) => reports.length === 1))
    for (let i = 0; i < 3; i++) cluster.node(0).release()
    cluster.model.let(() => 'answered')
    await until(() => cluster.nodes.every(({ reports }) => reports.length === 2))
    await cluster.settle()
    expect(await granted(repeat(9, () => cluster.node(1).acquire()))).toBe(3)
  })
})

test('a store that has lost its data learns of the sockets again', async () => {
  await using cluster = await openLimitsNodes(2, { maxSocketsPerUser: 3 })
  expect(await granted(repeat(3, () => cluster.node(0).acquire()))).toBe(3)
  const holds = () => cluster.model.calls.filter((call) => call === 'hold').length
  const before = holds()
  cluster.model.flush()
  // The next beat of the node finds that the store does not know it.
  await until(() => holds() > before)
  expect(await cluster.node(1).acquire()).toBe(false)
})
