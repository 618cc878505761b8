/** A map that forgets what came first where it would grow beyond `most` entries. */
export function createBoundedMap<Key, Value>(most: number) {
  const map = new Map<Key, Value>()
  return {
    get: (key: Key) => map.get(key),
    set(key: Key, value: Value): void {
      // A Map keeps its order, so its first key is the one that came first.
      if (map.size >= most && !map.has(key)) map.delete(map.keys().next().value as Key)
      map.set(key, value)
    },
    delete: (key: Key) => map.delete(key),
    clear: () => map.clear(),
  }
}
