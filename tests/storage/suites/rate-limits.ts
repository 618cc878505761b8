import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { RateLimitOverride } from '../../../src/config.ts'
import {
  countHeader,
  policyHeader,
  type RateLimiter,
  type RateLimits,
} from '../../../src/limits/rate-limits.ts'
import type { MaybePromise } from '../../../src/maybe-promise.ts'

export interface RateLimitsEngine {
  readonly name: string
  /** Opens rate limits without any counts. */
  open(options: {
    readonly enabled: boolean
    readonly overrides: Readonly<Record<string, RateLimitOverride>>
    /** The seconds that `count` is called with, and the clock of a store. */
    readonly now: () => number
  }): MaybePromise<RateLimits>
  /** Closes what was opened. */
  close?(): Promise<void>
}

const login = { policy: 'login', quota: 3, window: 60, partition: 'ip' } as const

/** The guarantees of `RateLimits`, for every engine. */
export function rateLimitsSuite({ name, open, close }: RateLimitsEngine): void {
  describe(`the rate limits in ${name}`, () => {
    let time: number
    let limits: RateLimits
    let limiter: RateLimiter
    const now = () => time

    beforeEach(async () => {
      time = 1_800_000_000
      limits = await open({ enabled: true, overrides: {}, now })
      limiter = limits.limiter(login) as RateLimiter
    })

    afterEach(() => close?.())

    async function count(client: string): Promise<[exceeded: boolean, header: string]> {
      const counted = await limiter.count(limits.key(client), time)
      return [counted.exceeded, countHeader(limiter, counted)]
    }

    test('the headers have the form of draft-ietf-httpapi-ratelimit-headers', async () => {
      expect(policyHeader(limiter)).toBe('"login";q=3;w=60')
      expect(await count('a')).toEqual([false, '"login";r=2;t=60'])
      time += 20
      expect(await count('a')).toEqual([false, '"login";r=1;t=40'])
      expect(await count('a')).toEqual([false, '"login";r=0;t=40'])
      expect(await count('a')).toEqual([true, '"login";r=0;t=40'])
    })

    test('each client has its own window', async () => {
      for (let i = 0; i < 4; i++) await count('a')
      time += 20
      expect(await count('b')).toEqual([false, '"login";r=2;t=60'])
    })

    test('a refused request does not extend the window', async () => {
      for (let i = 0; i < 4; i++) await count('a')
      time += 59
      expect(await count('a')).toEqual([true, '"login";r=0;t=1'])
      time += 1
      expect(await count('a')).toEqual([false, '"login";r=2;t=60'])
    })

    test('the operator can override the quota and the window', async () => {
      const overridden = await open({ enabled: true, overrides: { login: { quota: 1, window: 5 } }, now })
      expect(policyHeader(overridden.limiter(login) as RateLimiter)).toBe('"login";q=1;w=5')
    })

    test('there are no limiters if rate limits are disabled', async () => {
      expect((await open({ enabled: false, overrides: {}, now })).limiter(login)).toBeUndefined()
    })

    test('each policy has its own counts, and all operations that name a policy share its limiter', async () => {
      expect(limits.limiter({ ...login })).toBe(limiter)
      for (let i = 0; i < 3; i++) await count('1.2.3.4')
      expect((await count('1.2.3.4'))[0]).toBe(true)
      const register = limits.limiter({ ...login, policy: 'register' }) as RateLimiter
      expect((await register.count(limits.key('1.2.3.4'), time)).exceeded).toBe(false)
    })

    test('parallel requests of one client stay within the quota', async () => {
      const counts = await Promise.all(Array.from({ length: 20 }, () => count('a')))
      expect(counts.filter(([exceeded]) => !exceeded)).toHaveLength(3)
    })
  })
}
