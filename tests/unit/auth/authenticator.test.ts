import { expect, test } from 'bun:test'
import { BlockList } from 'node:net'
import { createAdmission } from '../../../src/http/admission.ts'
import type { Exchange } from '../../../src/http/answers.ts'
import { createClientAddress } from '../../../src/limits/client-address.ts'
import { createRateLimits } from '../../../src/limits/rate-limits.ts'
import type { Account, User } from '../../../src/users/users.ts'

/** An admission with one account; tells how often a token was verified and an account read. */
function openAdmission(expiresAt = Number.POSITIVE_INFINITY) {
  const reads = { verified: 0, found: 0 }
  let user: User | undefined = { id: 'an id', username: 'someone' }
  const admission = createAdmission({
    tokens: {
      issue: async () => 'good',
      async verify(token) {
        reads.verified++
        return token === 'good' ? { userId: 'an id', expiresAt } : undefined
      },
    },
    users: {
      find() {
        reads.found++
        return user && { user, dataVersion: 1 }
      },
      refresh(account: Account) {
        if (user) account.user = user
        return user !== undefined
      },
    } as never,
    rateLimits: createRateLimits({ enabled: true, overrides: {} }),
    clientAddress: createClientAddress(new BlockList()),
    isDraining: () => false,
  })
  return {
    reads,
    change(changed: User | undefined) {
      user = changed
    },
    admit(authorization: string | null, remembers = true) {
      const exchange = { request: new Request('http://localhost'), arrivedAt: 1 } as Exchange
      return admission.admit({ secured: true, remembers, limiter: undefined }, exchange, authorization, null)
    },
  }
}

test('who was here lately is admitted at once, without a verification', async () => {
  const { admit, reads } = openAdmission()
  const first = admit('Bearer good')
  expect(first).toBeInstanceOf(Promise)
  expect(await first).toMatchObject({ user: { username: 'someone' } })
  expect(admit('Bearer good')).toMatchObject({ user: { username: 'someone' } })
  expect(reads).toEqual({ verified: 1, found: 1 })
})

test('where nothing is to be remembered, each token is verified', async () => {
  const { admit, reads } = openAdmission()
  for (const _ of [1, 2, 3])
    expect(await admit('Bearer good', false)).toMatchObject({ user: { id: 'an id' } })
  expect(reads.verified).toBe(3)
})

test('spaces around a token do not make it another one to remember', async () => {
  const { admit, reads } = openAdmission()
  for (const _ of [1, 2]) expect(await admit('Bearer  good')).toMatchObject({ user: { id: 'an id' } })
  expect(reads.verified).toBe(2)
})

test('a token that does not hold is verified each time', async () => {
  const { admit, reads } = openAdmission()
  for (const _ of [1, 2]) await expect(admit('Bearer bad')).rejects.toThrow('invalid-token')
  expect(reads.verified).toBe(2)
})

test('a token that was remembered and has expired is verified again', async () => {
  const { admit, reads } = openAdmission(1)
  await admit('Bearer good')
  await admit('Bearer good')
  expect(reads.verified).toBe(2)
})

test('who was here lately is admitted as the account is now, and not without one', async () => {
  const { admit, change } = openAdmission()
  await admit('Bearer good')
  change({ id: 'an id', username: 'renamed' })
  expect(admit('Bearer good')).toMatchObject({ user: { username: 'renamed' } })
  change(undefined)
  await expect(admit('Bearer good')).rejects.toThrow('invalid-token')
})

test.each([null, '', 'Bearer', 'Bearer ', 'Basic good', 'good', 'BearerX good'])(
  'no token is in %p',
  (authorization) => {
    const { admit, reads } = openAdmission()
    expect(() => admit(authorization)).toThrow('missing-token')
    expect(reads.verified).toBe(0)
  },
)

test.each(['bearer good', 'BEARER good', 'Bearer  good '])('a token is in %p', async (authorization) => {
  expect(await openAdmission().admit(authorization)).toMatchObject({ user: { id: 'an id' } })
})
