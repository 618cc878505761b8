/** A map that forgets what came first where it would grow beyond `most` entries. */
export function createBoundedMap<Key, Value>(most: number) {
  const map = new Map<Key, Value>()
  // A Map keeps its order, and this stays where it is: to look for the first key anew would take it past
  // all that were deleted before.
  const oldest = map.keys()
  return {
    get: (key: Key) => map.get(key),
    set(key: Key, value: Value): void {
      if (map.size >= most && !map.has(key)) map.delete(oldest.next().value as Key)
      map.set(key, value)
    },
    delete: (key: Key) => map.delete(key),
  }
}
