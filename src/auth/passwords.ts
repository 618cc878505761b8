import pLimit from 'p-limit'
import { defaultRetryAfterSeconds, ProblemError } from '../contract/problems.ts'

/** The argon2id parameters that OWASP recommends; memory in KiB. */
const parameters = { algorithm: 'argon2id', memoryCost: 19_456, timeCost: 2 } as const
const currentPrefix = `$argon2id$v=19$m=${parameters.memoryCost},t=${parameters.timeCost},p=1$`

/**
 * A hash of the current form, for verifications whose result is ignored; it is no hash of any known password. A
 * constant needs no hashing at startup, and exists before the first unknown username. Salt and digest are 32
 * zero bytes each.
 */
const dummyHash = `${currentPrefix}${'A'.repeat(43)}$${'A'.repeat(43)}`

/** The algorithms of `Bun.password`. It refuses other values without hashing anything. */
const isHash = /^\$(?:argon2|2[aby]\$)/

/** Work beyond this queue is refused. Each running hash occupies 19 MiB and one core. */
export const maxQueueLength = 64

/** The queue for password hashing is full. */
export class HashingOverloaded extends ProblemError {
  constructor() {
    super('hashing-overloaded', { retryAfterSeconds: defaultRetryAfterSeconds })
  }
}

export interface Passwords {
  hash(password: string): Promise<string>
  verify(password: string, hash: string): Promise<boolean>
  /** Takes as long as a real verification, so that timing does not reveal which usernames exist. */
  verifyDummy(password: string): Promise<false>
  /** Whether the hash was made with other parameters than the current ones. */
  isOutdated(hash: string): boolean
  /**
   * Runs `work`, which may hash, once fewer than `concurrency` others are running.
   *
   * @throws HashingOverloaded if the queue is full
   */
  runQueued<Result>(work: () => Promise<Result>): Promise<Result>
  /** The number of calls of `runQueued` that are running and waiting now. */
  load(): { readonly running: number; readonly waiting: number }
}

/**
 * Password hashing with `Bun.password`. The queue keeps a flood of logins from starving other requests
 * and from growing memory.
 *
 * @param concurrency the number of hashes that run at once; ideally the number of cores
 */
export function createPasswords({ concurrency }: { concurrency: number }): Passwords {
  const limit = pLimit(concurrency)
  /** Takes the same time for every password and every stored value, valid or not. */
  async function verify(password: string, hash: string): Promise<boolean> {
    // Bun rejects an empty password before it hashes anything. No account has one.
    const comparable = password || ' '
    try {
      if (isHash.test(hash)) return (await Bun.password.verify(comparable, hash)) && password !== ''
    } catch {
      // The hash is damaged.
    }
    // The stored value is not a hash, for example because an operator has disabled the password.
    await Bun.password.verify(comparable, dummyHash)
    return false
  }

  return {
    hash: (password) => Bun.password.hash(password, parameters),
    verify,
    async verifyDummy(password) {
      await verify(password, dummyHash)
      return false
    },
    isOutdated: (hash) => !hash.startsWith(currentPrefix),
    async runQueued(work) {
      if (limit.pendingCount >= maxQueueLength) throw new HashingOverloaded()
      return limit(work)
    },
    load: () => ({ running: limit.activeCount, waiting: limit.pendingCount }),
  }
}
