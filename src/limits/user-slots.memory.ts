import type { UserSlots } from './user-slots.ts'

/** Counts the WebSockets of this process. */
export function createMemoryUserSlots(limit: number): UserSlots {
  const held = new Map<string, number>()
  return {
    acquire(userId) {
      const count = held.get(userId) ?? 0
      if (count >= limit) return false
      held.set(userId, count + 1)
      return true
    },
    release(userId) {
      const left = (held.get(userId) ?? 1) - 1
      if (left === 0) held.delete(userId)
      else held.set(userId, left)
    },
  }
}
