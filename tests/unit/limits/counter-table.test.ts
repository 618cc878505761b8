import { describe, expect, test } from 'bun:test'
import { createCounterTable, packKey, unpackKey } from '../../../src/limits/counter-table.ts'

const quota = 10
const address = (n: number) => `${n >>> 24}.${(n >>> 16) & 255}.${(n >>> 8) & 255}.${n & 255}`

test('each key keeps its own count while the table grows', () => {
  const table = createCounterTable()
  for (let n = 0; n < 50_000; n++) table.set(table.findOrAdd(table.key(address(n)), 1, 100), n, 100)
  for (let n = 0; n < 50_000; n++) {
    const slot = table.find(table.key(address(n)), 50)
    expect(slot !== undefined && table.countAt(slot)).toBe(n)
  }
})

test('a counter expires, and its slot is reused', () => {
  const table = createCounterTable({ maxCapacity: 1024 })
  for (let round = 0; round < 100; round++) {
    for (let n = 0; n < 500; n++) {
      const slot = table.findOrAdd(table.key(`${round} ${n}`), round * 60, round * 60 + 60)
      expect(table.countAt(slot)).toBe(0)
      table.set(slot, 1, round * 60 + 60)
    }
  }
  expect(table.find(table.key('99 1'), 99 * 60 + 59)).toBeDefined()
  expect(table.find(table.key('99 1'), 99 * 60 + 60)).toBeUndefined()
})

test('a million keys do not share a counter, with any seeds', () => {
  const table = createCounterTable()
  let shared = 0
  for (let n = 0; n < 1_000_000; n++) {
    const slot = table.findOrAdd(table.key(`login ${address(0x0a000000 + n)}`), 1, 100)
    if (table.countAt(slot) !== 0) shared++
    table.set(slot, 1, 100)
  }
  expect(shared).toBe(0)
})

describe('a full table', () => {
  function fullLimiter(maxCapacity: number, keys: number) {
    const table = createCounterTable({ maxCapacity })
    const count = (key: string) => {
      const slot = table.findOrAdd(table.key(key), 1000, 1060)
      const used = table.countAt(slot)
      if (used < quota) table.set(slot, used + 1, table.expiryAt(slot))
      return used < quota
    }
    for (let i = 0; i < quota; i++) expect(count('limited')).toBe(true)
    for (let n = 0; n < keys; n++) {
      count(address(n))
      if (n % 1000 === 0) expect(count('limited')).toBe(false)
    }
    return count
  }

  test('keeps the counters that it has, and all further keys share one', () => {
    const count = fullLimiter(4096, 100_000)
    expect(count('limited')).toBe(false)
    expect(count(address(1))).toBe(true)
    expect(count(address(90_000))).toBe(false)
    expect(count('never seen')).toBe(false)
  })

  test('takes no longer for a key than a table with room', () => {
    // If each new key searched or rebuilt the table, the test would time out.
    const count = fullLimiter(2 ** 18, 1_000_000)
    expect(count('limited')).toBe(false)
  })

  test('has room again once its counters have expired', () => {
    const table = createCounterTable({ maxCapacity: 1024 })
    for (let n = 0; n < 5000; n++) table.set(table.findOrAdd(table.key(address(n)), 1000, 1060), 10, 1060)
    const fresh = Array.from({ length: 500 }, (_, n) => table.findOrAdd(table.key(`fresh ${n}`), 1060, 1120))
    expect(new Set(fresh).size).toBe(500)
    for (const slot of fresh) expect(table.countAt(slot)).toBe(0)
  })
})

test('a packed key keeps 53 bits of the key', () => {
  const { key } = createCounterTable()
  const unpacked = { a: 0, b: 0 }
  for (let n = 0; n < 1000; n++) {
    const { a, b } = key(address(n))
    const packed = packKey({ a, b })
    expect(Number.isSafeInteger(packed)).toBe(true)
    unpackKey(packed, unpacked)
    expect(unpacked).toEqual({ a, b: (b >> 11) << 11 })
    expect(packKey(unpacked)).toBe(packed)
  }
  for (const edge of [
    { a: 0, b: 0 },
    { a: -1, b: -2048 },
    { a: -(2 ** 31), b: -(2 ** 31) },
  ]) {
    unpackKey(packKey(edge), unpacked)
    expect(unpacked).toEqual(edge)
  }
})

test('a million addresses within a minute need less than 100 MB and do not reset a limited client', async () => {
  const program = new URL('../../fixtures/million-addresses.ts', import.meta.url).pathname
  const child = Bun.spawn([process.execPath, program], { stdin: 'ignore', stdout: 'pipe', stderr: 'inherit' })
  const result = (await new Response(child.stdout).json()) as Record<string, number>
  expect(await child.exited).toBe(0)
  expect(result.admittedBeyondQuota).toBe(0)
  expect(result.distinctCounted).toBe(1_000_000)
  expect(result.bytes).toBeLessThan(100 * 1000 * 1000)
})
