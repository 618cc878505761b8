import { createFifoCache } from '../limits/fifo-cache.ts'

const cacheCapacity = 10_000

/** Finds the number of a room, if the user can send to it. */
type FindRoom = (room: string, userId: string) => { readonly number: number } | null

/**
 * The rooms that users can send to. Reading a membership takes several times as long as storing a message, so it is
 * cached until the next change of rooms.
 *
 * @param find reads the database
 */
export function createWritableRooms(find: FindRoom) {
  const createCache = () => createFifoCache<string, number>(cacheCapacity)
  let cached = createCache()
  let changedBy: object | undefined

  return {
    /** Call it before each change. @param batch identifies the commit */
    change(batch: object): void {
      cached = createCache()
      changedBy = batch
    },
    /** The number of the room, if the user can send to it at this place of the log. */
    find(room: string, userId: string, batch: object): number | undefined {
      const key = `${room} ${userId}`
      const known = cached.get(key)
      if (known !== undefined) return known
      const number = find(room, userId)?.number
      // What is read after a change of the same commit may be rolled back with it.
      if (number !== undefined && changedBy !== batch) cached.set(key, number)
      return number
    },
  }
}
