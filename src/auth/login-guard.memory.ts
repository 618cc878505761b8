import { createCounterTable } from '../limits/counter-table.ts'
import type { LoginGuard } from './login-guard.ts'
import { loginGuardPolicy } from './login-guard-policy.ts'

const { freeFailures, firstWait, longestWait, forgottenAfter } = loginGuardPolicy

const ticksPerSecond = 10

/**
 * The login guard in the memory of this process.
 *
 * @param now monotonic seconds with fractions, so that a wait of one second lasts one second
 */
export function createMemoryLoginGuard(now: () => number): LoginGuard {
  const table = createCounterTable()
  const start = now()
  // The table stores 32-bit integers: tenths of a second since the start suffice for years.
  const ticks = () => Math.floor((now() - start) * ticksPerSecond) + 1
  const forgetTicks = forgottenAfter * ticksPerSecond

  const keyOf = (username: string) => table.key(username.toLowerCase())

  const waitAfter = (failures: number) => {
    const doublings = failures - freeFailures
    if (doublings < 0) return 0
    return Math.min(longestWait, firstWait * 2 ** doublings) * ticksPerSecond
  }

  return {
    attempt(username) {
      const time = ticks()
      const slot = table.findOrAdd(keyOf(username), time, time + forgetTicks)
      const failures = table.countAt(slot)
      const lastAttempt = table.expiryAt(slot) - forgetTicks
      const wait = lastAttempt + waitAfter(failures) - time
      if (wait > 0) return Math.ceil(wait / ticksPerSecond)
      table.set(slot, failures + 1, time + forgetTicks)
      return 0
    },
    succeed(username) {
      const time = ticks()
      const slot = table.find(keyOf(username), time)
      if (slot !== undefined) table.set(slot, 0, time + forgetTicks)
    },
  }
}
