import { expect, test } from 'bun:test'
import { createFifoCache } from '../../../src/limits/fifo-cache.ts'

test('the oldest entry is evicted first, and none is evicted while there is room', () => {
  const cache = createFifoCache<number, string>(3)
  for (const key of [1, 2, 3]) cache.set(key, `${key}`)
  expect([1, 2, 3].map(cache.get)).toEqual(['1', '2', '3'])
  cache.set(2, 'again')
  cache.set(4, '4')
  expect([1, 2, 3, 4].map(cache.get)).toEqual([undefined, 'again', '3', '4'])
})

test('eviction stays in order after entries were deleted and after many evictions', () => {
  const cache = createFifoCache<number, number>(3)
  for (let key = 0; key < 10; key++) cache.set(key, key)
  cache.delete(8)
  cache.set(10, 10)
  expect([7, 8, 9, 10].map(cache.get)).toEqual([7, undefined, 9, 10])
  cache.set(11, 11)
  expect([7, 9, 10, 11].map(cache.get)).toEqual([undefined, 9, 10, 11])
  for (let key = 0; key < 1000; key++) cache.set(key, key)
  expect([996, 997, 998, 999].map(cache.get)).toEqual([undefined, 997, 998, 999])
})
