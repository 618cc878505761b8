import pLimit from 'p-limit'

/** argon2id as OWASP recommends it; memory in KiB. */
const parameters = { algorithm: 'argon2id', memoryCost: 19_456, timeCost: 2 } as const
const currentPrefix = `$argon2id$v=19$m=${parameters.memoryCost},t=${parameters.timeCost},p=1$`

/** Hashing waits here, beyond that it is refused: each hash in work holds 19 MiB and a core. */
const queueLength = 64

/** More passwords wait to be hashed than the queue takes. */
export class HashingOverloaded extends Error {}

export interface Passwords {
  hash(password: string): Promise<string>
  verify(password: string, hash: string): Promise<boolean>
  /** Costs what a verification costs, for a username that nobody has. */
  verifyNothing(password: string): Promise<false>
  /** Whether the hash was made with other parameters than today's. */
  isOutdated(hash: string): boolean
  /** Runs `work`, which may hash, as soon as one of `concurrency` places is free. */
  admit<Result>(work: () => Promise<Result>): Promise<Result>
}

/**
 * Password hashing by `Bun.password`, admitted so that a storm of logins neither starves the other
 * requests nor grows memory.
 *
 * @param concurrency how many hashes are made at once, best as many as there are cores
 */
export function createPasswords({ concurrency }: { concurrency: number }): Passwords {
  const limit = pLimit(concurrency)
  // Made at once, so that the first unknown username does not take longer; the start need not wait.
  const nobodysHash = Bun.password.hash(crypto.randomUUID(), parameters)
  return {
    hash: (password) => Bun.password.hash(password, parameters),
    // An empty password is an error to Bun, and never the right one.
    verify: async (password, hash) => password !== '' && (await Bun.password.verify(password, hash)),
    async verifyNothing(password) {
      await Bun.password.verify(password || ' ', await nobodysHash)
      return false
    },
    isOutdated: (hash) => !hash.startsWith(currentPrefix),
    async admit(work) {
      if (limit.pendingCount >= queueLength) throw new HashingOverloaded('The queue for hashing is full')
      return limit(work)
    },
  }
}
