/**
 * Counters by key, each with its own expiry, at 16 bytes per key: an open-addressed hash table of numbers
 * that stores a 64-bit hash in place of the key. One timer and one object per key would need forty times
 * the memory.
 */
export interface CounterTable {
  /** Hashes a string to a key. Slower than a lookup, so cache the result. */
  key(text: string): CounterKey
  /** The slot of `key`, or undefined if it has no counter or an expired one. */
  find(key: CounterKey, now: number): number | undefined
  /** The slot of `key`. A new counter starts at zero and expires at `expiresAt`. */
  findOrAdd(key: CounterKey, now: number, expiresAt: number): number
  countAt(slot: number): number
  expiryAt(slot: number): number
  set(slot: number, count: number, expiresAt: number): void
}

/** The two halves of the 64-bit hash, as signed 32-bit numbers. */
export interface CounterKey {
  readonly a: number
  readonly b: number
}

/** 53 bits of a key, as an integer, which takes no memory of its own in an object. */
export const packKey = ({ a, b }: CounterKey): number => (a >>> 0) * 2 ** 21 + (b >>> 11)

/** Writes the key with these 53 bits into `key`, and zero into the others. */
export function unpackKey(packed: number, key: { a: number; b: number }): void {
  key.a = (packed / 2 ** 21) | 0
  key.b = (packed & (2 ** 21 - 1)) << 11
}

interface CounterTableOptions {
  /** The largest number of slots, a power of two. Once 70 % are used, new keys share one counter. */
  readonly maxCapacity?: number
}

const initialCapacity = 1024
const maxLoadFactor = 0.7

/** A slot is four adjacent numbers, so that it fits into one line of the processor's cache. */
const width = 4
const A = 0
const B = 1
const COUNT = 2
/** 0 marks an unused slot. */
const EXPIRY = 3

/** Times are non-zero 32-bit integers in any unit, as long as all calls use the same one. */
export function createCounterTable({ maxCapacity = 2 ** 22 }: CounterTableOptions = {}): CounterTable {
  // Random seeds prevent clients from choosing keys that collide. Two different functions are used because
  // keys that collide in one of them often do so for every seed.
  const [seedA, seedB] = crypto.getRandomValues(new Uint32Array(2)) as unknown as [number, number]
  let slots = initialCapacity
  // Signed numbers are faster in the engine; counts and times are read as unsigned.
  let table = new Int32Array(slots * width)
  let used = 0
  let rebuiltAt = 0

  const countAt = (slot: number) => (table[slot * width + COUNT] as number) >>> 0
  const expiryAt = (slot: number) => (table[slot * width + EXPIRY] as number) >>> 0

  function set(slot: number, count: number, expiresAt: number): void {
    table[slot * width + COUNT] = count
    table[slot * width + EXPIRY] = expiresAt
  }

  function setKey(slot: number, { a, b }: CounterKey): void {
    table[slot * width + A] = a
    table[slot * width + B] = b
  }

  const hasKey = (slot: number, { a, b }: CounterKey) =>
    table[slot * width + A] === a && table[slot * width + B] === b

  const holds = (slot: number, key: CounterKey) => hasKey(slot, key) && expiryAt(slot) !== 0

  /** The slot that holds this key, or the one to store it in. */
  function probe(key: CounterKey, now: number): number {
    let free = -1
    for (let slot = key.a & (slots - 1); ; slot = (slot + 1) & (slots - 1)) {
      const expiry = expiryAt(slot)
      if (expiry === 0) return free === -1 ? slot : free
      if (hasKey(slot, key)) return slot
      // An expired slot can be reused, but only if the key is not stored further along.
      if (free === -1 && expiry <= now) free = slot
    }
  }

  /** Removes expired counters and resizes the table for twice the remaining ones. */
  function rebuild(now: number): void {
    rebuiltAt = now
    let live = 0
    for (let slot = 0; slot < slots; slot++) if (expiryAt(slot) > now) live++
    const old = table
    slots = initialCapacity
    while (slots < maxCapacity && slots * maxLoadFactor < live * 1.5) slots *= 2
    table = new Int32Array(slots * width)
    used = live
    for (let at = 0; at < old.length; at += width) {
      const expiry = (old[at + EXPIRY] as number) >>> 0
      if (expiry <= now) continue
      const key = { a: old[at + A] as number, b: old[at + B] as number }
      const slot = probe(key, 0)
      setKey(slot, key)
      set(slot, old[at + COUNT] as number, expiry)
    }
    // Free the memory now instead of at the next garbage collection: the old table may be as large as the new one.
    old.buffer.transfer(0)
  }

  function findOrAdd(key: CounterKey, now: number, expiresAt: number): number {
    let slot = probe(key, now)
    if (holds(slot, key)) {
      if (expiryAt(slot) > now) return slot
    } else {
      if (expiryAt(slot) === 0 && used >= slots * maxLoadFactor) {
        // At most once per time unit when it cannot grow: otherwise each new key would scan the whole table.
        if (slots < maxCapacity || now !== rebuiltAt) rebuild(now)
        // A shared counter may refuse a client that is within its quota, but never admits one that is not.
        if (used >= slots * maxLoadFactor) return overflow(now, expiresAt)
        slot = probe(key, now)
      }
      if (expiryAt(slot) === 0) used++
      setKey(slot, key)
    }
    set(slot, 0, expiresAt)
    return slot
  }

  /** The shared counter of all keys for which there is no room. */
  function overflow(now: number, expiresAt: number): number {
    const key = { a: 0, b: 0 }
    const slot = probe(key, now)
    if (!holds(slot, key) || expiryAt(slot) <= now) {
      if (expiryAt(slot) === 0) used++
      setKey(slot, key)
      set(slot, 0, expiresAt)
    }
    return slot
  }

  return {
    key: (text) => ({ a: Bun.hash.xxHash32(text, seedA) | 0, b: Bun.hash.murmur32v3(text, seedB) | 0 }),
    find(key, now) {
      const slot = probe(key, now)
      return holds(slot, key) && expiryAt(slot) > now ? slot : undefined
    },
    findOrAdd,
    countAt,
    expiryAt,
    set,
  }
}
