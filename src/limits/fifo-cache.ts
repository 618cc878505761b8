/** A map that evicts its oldest entry when it would exceed `capacity` entries. */
export function createFifoCache<Key, Value>(capacity: number) {
  const map = new Map<Key, Value>()
  // One iterator for all evictions: a new one would first skip every entry that was deleted before.
  const oldest = map.keys()
  return {
    get: (key: Key) => map.get(key),
    set(key: Key, value: Value): void {
      if (map.size >= capacity && !map.has(key)) map.delete(oldest.next().value as Key)
      map.set(key, value)
    },
    delete: (key: Key) => map.delete(key),
    deleteWhere(matches: (value: Value) => boolean): void {
      for (const [key, value] of map) if (matches(value)) map.delete(key)
    },
    get size() {
      return map.size
    },
  }
}
