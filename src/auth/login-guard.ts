import { openapi } from '../contract/documents.ts'
import { createCounterTable } from '../limits/counter-table.ts'

interface Declared {
  readonly 'free-failures': number
  /** Seconds, as all below. */
  readonly 'first-wait': number
  readonly 'longest-wait': number
  readonly 'forgotten-after': number
}

const operation: object | undefined = openapi.paths['/api/auth/login']?.post
const declared = (operation as { readonly 'x-login-guard': Declared })['x-login-guard']

const ticksPerSecond = 10

export interface LoginGuard {
  /** Seconds until an attempt for `username` is admitted; 0 admits it, and counts it as failed. */
  attempt(username: string): number
  /** Forgets the failures of `username`. */
  succeed(username: string): void
}

/**
 * Slows guessing down for one account, known or not. An attempt counts as failed until it has
 * succeeded, so that attempts side by side gain nothing; the wait doubles up to a minute, and no
 * account is locked for good.
 *
 * @param now seconds, with fractions: a wait of one second is to last one
 */
export function createLoginGuard(now: () => number): LoginGuard {
  const table = createCounterTable()
  const start = now()
  // The table counts in whole numbers of 32 bits: tenths of a second since the start last for years.
  const ticks = () => Math.floor((now() - start) * ticksPerSecond) + 1
  const forget = declared['forgotten-after'] * ticksPerSecond

  const keyOf = (username: string) => table.key(username.toLowerCase())

  const waitAfter = (failures: number) => {
    const doublings = failures - declared['free-failures']
    if (doublings < 0) return 0
    return Math.min(declared['longest-wait'], declared['first-wait'] * 2 ** doublings) * ticksPerSecond
  }

  return {
    attempt(username) {
      const time = ticks()
      const slot = table.findOrAdd(keyOf(username), time, time + forget)
      const failures = table.countAt(slot)
      const lastAttempt = table.expiryAt(slot) - forget
      const wait = lastAttempt + waitAfter(failures) - time
      if (wait > 0) return Math.ceil(wait / ticksPerSecond)
      table.set(slot, failures + 1, time + forget)
      return 0
    },
    succeed(username) {
      const time = ticks()
      const slot = table.find(keyOf(username), time)
      if (slot !== undefined) table.set(slot, 0, time + forget)
    },
  }
}
