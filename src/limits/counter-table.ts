/**
 * Counts by key, each until a time of its own, at 16 bytes a key: a hash of 64 bits stands for the key
 * in an open-addressed table of numbers. A timer and an object a key would cost forty times as much.
 */
export interface CounterTable {
  /** What stands for a text here; takes longer than all else, so it is worth keeping. */
  key(text: string): CounterKey
  /** The slot of `key`, or undefined where it is not counted now. */
  find(key: CounterKey, now: number): number | undefined
  /** The slot of `key`, at zero until `expiresAt` where it was not counted. */
  findOrAdd(key: CounterKey, now: number, expiresAt: number): number
  countAt(slot: number): number
  expiryAt(slot: number): number
  set(slot: number, count: number, expiresAt: number): void
}

/** The two halves of a key's hash, as signed 32-bit numbers. */
export interface CounterKey {
  readonly a: number
  readonly b: number
}

interface CounterTableOptions {
  /** Slots at the most, a power of two: beyond 70 % of them, new keys share one count. */
  readonly mostSlots?: number
}

const firstSlots = 1024
const fullest = 0.7

/** A slot is four numbers side by side, so that one line of the processor's cache holds it. */
const width = 4
const A = 0
const B = 1
const COUNT = 2
/** 0 marks a slot that was never used. */
const EXPIRY = 3

/** Times are whole seconds since the epoch. */
export function createCounterTable({ mostSlots = 2 ** 22 }: CounterTableOptions = {}): CounterTable {
  // Random seeds, so that nobody outside can choose keys that share a slot; and two functions, since keys
  // that collide in one of them often do so whatever its seed.
  const [seedA, seedB] = crypto.getRandomValues(new Uint32Array(2)) as unknown as [number, number]
  let slots = firstSlots
  // Signed, since the engine is quicker with those; counts and times are read as unsigned.
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

  /** The slot with this key, or the one to put it in. */
  function probe(key: CounterKey, now: number): number {
    let free = -1
    for (let slot = key.a & (slots - 1); ; slot = (slot + 1) & (slots - 1)) {
      const expiry = expiryAt(slot)
      if (expiry === 0) return free === -1 ? slot : free
      if (hasKey(slot, key)) return slot
      // An expired slot may be taken, but only once the key is known not to stand behind it.
      if (free === -1 && expiry <= now) free = slot
    }
  }

  /** Drops what has expired, and makes room for twice what is left. */
  function rebuild(now: number): void {
    rebuiltAt = now
    let live = 0
    for (let slot = 0; slot < slots; slot++) if (expiryAt(slot) > now) live++
    const old = table
    slots = firstSlots
    while (slots < mostSlots && slots * fullest < live * 1.5) slots *= 2
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
    // Given back now, and not at some later collection: the old table may be as large as the new one.
    old.buffer.transfer(0)
  }

  function findOrAdd(key: CounterKey, now: number, expiresAt: number): number {
    let slot = probe(key, now)
    if (holds(slot, key)) {
      if (expiryAt(slot) > now) return slot
    } else {
      if (expiryAt(slot) === 0 && used >= slots * fullest) {
        // Once a second where it cannot grow: otherwise each new key would walk through all of it.
        if (slots < mostSlots || now !== rebuiltAt) rebuild(now)
        // Sharing a count refuses some who are within theirs, but lets nobody through who is not.
        if (used >= slots * fullest) return overflow(now, expiresAt)
        slot = probe(key, now)
      }
      if (expiryAt(slot) === 0) used++
      setKey(slot, key)
    }
    set(slot, 0, expiresAt)
    return slot
  }

  /** The count that all keys share for which there is no room. */
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
