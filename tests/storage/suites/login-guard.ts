import { beforeEach, describe, expect, test } from 'bun:test'
import type { LoginGuard } from '../../../src/auth/login-guard.ts'
import type { MaybePromise } from '../../../src/maybe-promise.ts'

export interface LoginGuardEngine {
  readonly name: string
  /**
   * Opens a guard without any failures.
   *
   * @param now seconds since the epoch, with fractions
   */
  open(now: () => number): MaybePromise<LoginGuard>
}

/** The guarantees of `LoginGuard`, for every engine. */
export function loginGuardSuite({ name, open }: LoginGuardEngine): void {
  describe(`the login guard in ${name}`, () => {
    let time: number
    let guard: LoginGuard

    beforeEach(async () => {
      time = 1_800_000_000
      guard = await open(() => time)
    })

    /** Fails `times` times, each time after the required wait, and returns the waits. */
    async function fail(username: string, times: number): Promise<number[]> {
      const waits: number[] = []
      for (let i = 0; i < times; i++) {
        const wait = await guard.attempt(username)
        if (wait > 0) {
          time += wait
          expect(await guard.attempt(username)).toBe(0)
        }
        waits.push(wait)
      }
      return waits
    }

    test('the first five failures cost no wait; then the wait doubles from 1 s to 60 s and stays there', async () => {
      expect(await fail('someone', 14)).toEqual([0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60])
    })

    test('an early attempt receives the remaining wait and does not extend it', async () => {
      await fail('someone', 9)
      expect(await guard.attempt('someone')).toBe(16)
      expect(await guard.attempt('someone')).toBe(16)
      time += 10
      expect(await guard.attempt('someone')).toBe(6)
      time += 6
      expect(await guard.attempt('someone')).toBe(0)
    })

    test('a success clears the failures', async () => {
      await fail('someone', 10)
      time += 60
      expect(await guard.attempt('someone')).toBe(0)
      await guard.succeed('someone')
      expect(await fail('someone', 6)).toEqual([0, 0, 0, 0, 0, 1])
    })

    test('failures are forgotten after 15 minutes, so no username is locked permanently', async () => {
      await fail('someone', 30)
      time += 899
      expect(await guard.attempt('someone')).toBe(0)
      expect(await guard.attempt('someone')).toBe(60)
      time += 900
      expect(await fail('someone', 6)).toEqual([0, 0, 0, 0, 0, 1])
    })

    test('a username is counted in any letter case, and separately from other usernames', async () => {
      await fail('Someone', 3)
      expect(await fail('sOMEONE', 3)).toEqual([0, 0, 1])
      expect(await fail('someone-else', 5)).toEqual([0, 0, 0, 0, 0])
    })

    test('parallel attempts gain nothing, because each counts as failed until it succeeds', async () => {
      const waits = await Promise.all(Array.from({ length: 100 }, () => guard.attempt('someone')))
      expect(waits.filter((wait) => wait === 0)).toHaveLength(5)
    })
  })
}
