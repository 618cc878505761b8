import { expect, test } from 'bun:test'
import { createGroupCommit } from '../../../src/chats/group-commit.ts'

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** A group commit of numbers whose batches are recorded. */
function recordBatches(
  maxBatchSize: number,
  commit: (items: readonly number[], index: number) => void | Promise<void> = () => {},
) {
  const batches: number[][] = []
  const { add, flush } = createGroupCommit<number>({
    maxBatchSize,
    commit(items) {
      batches.push([...items])
      return commit(items, batches.length - 1)
    },
  })
  return { batches, add, flush }
}

/** Promises of commits, to be settled by the test. */
function controlledCommits() {
  const commits: PromiseWithResolvers<void>[] = []
  return {
    commits,
    commit() {
      const controlled = Promise.withResolvers<void>()
      commits.push(controlled)
      return controlled.promise
    },
  }
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)

test('items that arrive in one turn of the event loop are committed together, in their order', async () => {
  const { batches, add } = recordBatches(10)
  await Promise.all(range(1, 5).map(add))
  await Promise.all(range(6, 7).map(add))
  expect(batches).toEqual([range(1, 5), range(6, 7)])
})

test('a commit starts in a later turn, so that the adding code is never interrupted', async () => {
  const { batches, add } = recordBatches(10)
  const added = add(1)
  await Promise.resolve()
  expect(batches).toEqual([])
  await added
  expect(batches).toEqual([[1]])
})

test('a batch has at most maxBatchSize items, and the order continues across batches', async () => {
  const { batches, add } = recordBatches(3)
  const settled: number[] = []
  await Promise.all(range(1, 8).map((item) => add(item).then(() => settled.push(item))))
  expect(batches).toEqual([range(1, 3), range(4, 6), range(7, 8)])
  expect(settled).toEqual(range(1, 8))
})

test('items that arrive between two batches join the next batch', async () => {
  const { batches, add } = recordBatches(2)
  const added = [1, 2, 3].map(add)
  await added[0]
  added.push(add(4))
  await Promise.all(added)
  expect(batches).toEqual([
    [1, 2],
    [3, 4],
  ])
})

test.each([
  [
    'throws',
    () => {
      throw new Error('disk full')
    },
  ],
  ['rejects', async () => Promise.reject(new Error('disk full'))],
])('a commit that %s fails all items of its batch and no other', async (_, fail) => {
  const { batches, add } = recordBatches(2, (_, index) => (index === 1 ? fail() : undefined))
  const results = await Promise.allSettled(range(1, 6).map(add))
  expect(batches).toEqual([range(1, 2), range(3, 4), range(5, 6)])
  const statuses = results.map(({ status }) => status)
  expect(statuses).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected', 'fulfilled', 'fulfilled'])
  expect((results[2] as PromiseRejectedResult).reason).toEqual(new Error('disk full'))
  await add(7)
  expect(batches.at(-1)).toEqual([7])
})

test('an asynchronous commit never overlaps with the next, and items that arrive meanwhile wait for the next batch', async () => {
  const { commits, commit } = controlledCommits()
  const { batches, add } = recordBatches(10, commit)
  const settled: string[] = []
  const track = (item: number) =>
    void add(item).then(
      () => settled.push(`${item} stored`),
      () => settled.push(`${item} failed`),
    )

  for (const item of [1, 2]) track(item)
  await nextTurn()
  for (const item of [3, 4]) track(item)
  for (let turn = 0; turn < 5; turn++) await nextTurn()
  track(5)
  await nextTurn()
  expect(batches).toEqual([[1, 2]])
  expect(settled).toEqual([])

  commits[0]?.resolve()
  await nextTurn()
  await nextTurn()
  expect(settled).toEqual(['1 stored', '2 stored'])
  expect(batches).toEqual([
    [1, 2],
    [3, 4, 5],
  ])
  track(6)
  commits[1]?.reject(new Error('connection lost'))
  await nextTurn()
  await nextTurn()
  expect(settled.slice(2)).toEqual(['3 failed', '4 failed', '5 failed'])
  expect(batches[2]).toEqual([6])
  commits[2]?.resolve()
  await nextTurn()
  expect(settled.at(-1)).toBe('6 stored')
})

test('no commits overlap and no item is lost while items arrive at random times', async () => {
  let running = 0
  let highest = 0
  const { batches, add } = recordBatches(7, async () => {
    highest = Math.max(highest, ++running)
    await Bun.sleep(Math.random() * 2)
    running--
  })
  const added: Promise<void>[] = []
  for (const item of range(1, 300)) {
    added.push(add(item))
    if (Math.random() < 0.2) await Bun.sleep(Math.random() * 2)
  }
  await Promise.all(added)
  expect(highest).toBe(1)
  expect(batches.flat()).toEqual(range(1, 300))
  expect(Math.max(...batches.map(({ length }) => length))).toBeLessThanOrEqual(7)
})

test('flush resolves when every batch is settled, even if some fail', async () => {
  const { commits, commit } = controlledCommits()
  const { add, flush } = recordBatches(1, commit)
  const added = Promise.allSettled([1, 2, 3].map(add))
  let flushed = false
  const flushing = flush().then(() => {
    flushed = true
  })
  for (let i = 0; i < 3; i++) {
    await nextTurn()
    await nextTurn()
    expect(flushed).toBe(false)
    if (i === 1) commits[i]?.reject(new Error('disk full'))
    else commits[i]?.resolve()
  }
  await flushing
  expect((await added).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
})

test('flush resolves at once if nothing is pending', async () => {
  const { add, flush } = recordBatches(10)
  await flush()
  await add(1)
  await flush()
})
