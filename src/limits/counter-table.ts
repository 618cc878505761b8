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

/** The two halves of a key's hash. */
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

/** Times are whole seconds since the epoch. */
export function createCounterTable({ mostSlots = 2 ** 22 }: CounterTableOptions = {}): CounterTable {
  // Random seeds, so that nobody outside can choose keys that share a slot; and two functions, since keys
  // that collide in one of them often do so whatever its seed.
  const [seedA, seedB] = crypto.getRandomValues(new Uint32Array(2)) as unknown as [number, number]
  let slots = firstSlots
  let hashesA = new Uint32Array(slots)
  let hashesB = new Uint32Array(slots)
  let counts = new Uint32Array(slots)
  /** 0 marks a slot that was never used. */
  let expiries = new Uint32Array(slots)
  let used = 0
  let rebuiltAt = 0

  /** The slot with these hashes, or the one to put them in. */
  function probe(a: number, b: number, now: number): number {
    let free = -1
    for (let slot = a & (slots - 1); ; slot = (slot + 1) & (slots - 1)) {
      const expiry = expiries[slot] as number
      if (expiry === 0) return free === -1 ? slot : free
      if (hashesA[slot] === a && hashesB[slot] === b) return slot
      // An expired slot may be taken, but only once the key is known not to stand behind it.
      if (free === -1 && expiry <= now) free = slot
    }
  }

  /** Drops what has expired, and makes room for twice what is left. */
  function rebuild(now: number): void {
    rebuiltAt = now
    let live = 0
    for (let slot = 0; slot < slots; slot++) if ((expiries[slot] as number) > now) live++
    const old = { slots, hashesA, hashesB, counts, expiries }
    slots = firstSlots
    while (slots < mostSlots && slots * fullest < live * 1.5) slots *= 2
    hashesA = new Uint32Array(slots)
    hashesB = new Uint32Array(slots)
    counts = new Uint32Array(slots)
    expiries = new Uint32Array(slots)
    used = live
    for (let slot = 0; slot < old.slots; slot++) {
      const expiry = old.expiries[slot] as number
      if (expiry <= now) continue
      const a = old.hashesA[slot] as number
      const b = old.hashesB[slot] as number
      const target = probe(a, b, 0)
      hashesA[target] = a
      hashesB[target] = b
      counts[target] = old.counts[slot] as number
      expiries[target] = expiry
    }
    // Given back now, and not at some later collection: the old tables add up to as much as the new one.
    for (const array of [old.hashesA, old.hashesB, old.counts, old.expiries]) array.buffer.transfer(0)
  }

  function holds(slot: number, a: number, b: number): boolean {
    return hashesA[slot] === a && hashesB[slot] === b && expiries[slot] !== 0
  }

  function findOrAdd({ a, b }: CounterKey, now: number, expiresAt: number): number {
    let slot = probe(a, b, now)
    if (holds(slot, a, b)) {
      if ((expiries[slot] as number) > now) return slot
    } else {
      if (expiries[slot] === 0 && used >= slots * fullest) {
        // Once a second where it cannot grow: otherwise each new key would walk through all of it.
        if (slots < mostSlots || now !== rebuiltAt) rebuild(now)
        // Sharing a count refuses some who are within theirs, but lets nobody through who is not.
        if (used >= slots * fullest) return overflow(now, expiresAt)
        slot = probe(a, b, now)
      }
      if (expiries[slot] === 0) used++
      hashesA[slot] = a
      hashesB[slot] = b
    }
    counts[slot] = 0
    expiries[slot] = expiresAt
    return slot
  }

  /** The count that all keys share for which there is no room. */
  function overflow(now: number, expiresAt: number): number {
    const slot = probe(0, 0, now)
    if (!holds(slot, 0, 0) || (expiries[slot] as number) <= now) {
      if (expiries[slot] === 0) used++
      hashesA[slot] = 0
      hashesB[slot] = 0
      counts[slot] = 0
      expiries[slot] = expiresAt
    }
    return slot
  }

  return {
    key: (text) => ({ a: Bun.hash.xxHash32(text, seedA), b: Bun.hash.murmur32v3(text, seedB) }),
    find({ a, b }, now) {
      const slot = probe(a, b, now)
      return holds(slot, a, b) && (expiries[slot] as number) > now ? slot : undefined
    },
    findOrAdd,
    countAt: (slot) => counts[slot] as number,
    expiryAt: (slot) => expiries[slot] as number,
    set(slot, count, expiresAt) {
      counts[slot] = count
      expiries[slot] = expiresAt
    },
  }
}
