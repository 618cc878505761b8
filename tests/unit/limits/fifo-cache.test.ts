import { expect, test } from 'bun:test'
import { createBoundedMap } from '../../../src/limits/bounded-map.ts'

test('what came first is forgotten first, and nothing before there is no room', () => {
  const map = createBoundedMap<number, string>(3)
  for (const key of [1, 2, 3]) map.set(key, `${key}`)
  expect([1, 2, 3].map(map.get)).toEqual(['1', '2', '3'])
  map.set(2, 'again')
  map.set(4, '4')
  expect([1, 2, 3, 4].map(map.get)).toEqual([undefined, 'again', '3', '4'])
})

test('it goes on so after entries were removed, and for long', () => {
  const map = createBoundedMap<number, number>(3)
  for (let key = 0; key < 10; key++) map.set(key, key)
  map.delete(8)
  map.set(10, 10)
  expect([7, 8, 9, 10].map(map.get)).toEqual([7, undefined, 9, 10])
  map.set(11, 11)
  expect([7, 9, 10, 11].map(map.get)).toEqual([undefined, 9, 10, 11])
  for (let key = 0; key < 1000; key++) map.set(key, key)
  expect([996, 997, 998, 999].map(map.get)).toEqual([undefined, 997, 998, 999])
})
