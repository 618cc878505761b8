import { expect, spyOn, test } from 'bun:test'
import { BlockList } from 'node:net'
import { createAuthenticator } from '../../../src/auth/authenticator.ts'
import { createIdentities } from '../../../src/auth/identities.ts'
import { createPasswords } from '../../../src/auth/passwords.ts'
import type { RequestContext } from '../../../src/http/request-context.ts'
import { createClientAddress } from '../../../src/limits/client-address.ts'
import { createMemoryRateLimits } from '../../../src/limits/rate-limits.memory.ts'
import type { Users } from '../../../src/users/users.ts'

/** The parts of an authenticator for one account, and the number of tokens that it has verified. */
function openIdentities(find: () => void = () => {}) {
  const calls = { verified: 0, found: 0 }
  const account = { version: 1 }
  const users = {
    find() {
      calls.found++
      find()
      return { user: { id: 'an id', username: 'someone' }, tokensValidFrom: 0 }
    },
    version: () => account.version,
  } as Partial<Users> as Users
  const tokens = {
    issue: async () => ({ token: '', expiresAt: 0 }),
    async verify() {
      calls.verified++
      return {
        tokenId: 'a token',
        userId: 'an id',
        expiresAt: Number.POSITIVE_INFINITY,
        authTime: 0,
        tokensValidFrom: 0,
      }
    },
  }
  const rateLimits = createMemoryRateLimits({ enabled: true, overrides: {} })
  const revocations = { isRevoked: () => false, revoke() {} }
  const identities = createIdentities({ tokens, users, revocations, rateLimits })
  return { calls, account, rateLimits, identities }
}

test('a request that is refused does not cache the identity of its token', async () => {
  const { calls, identities, rateLimits } = openIdentities()
  const { authenticate } = createAuthenticator({
    identities,
    rateLimits,
    clientAddress: createClientAddress(new BlockList()),
    isDraining: () => false,
  })
  const limiter = rateLimits.limiter({ policy: 'read', quota: 1, window: 60, partition: 'user' })
  const request = async (token: string) => {
    const context = {
      request: new Request('http://localhost'),
      arrivedAt: 1,
      startedAt: 1,
    } as RequestContext
    return authenticate({ secured: true, cachesIdentity: true, limiter }, context, `Bearer ${token}`, null)
  }
  await request('an.admitted.token')
  for (let i = 0; i < 2; i++) {
    await expect(request('a.refused.token')).rejects.toThrow('rate-limit-exceeded')
  }
  expect(calls.verified).toBe(3)
})

test('an account that changes while it is being read is read again by the next check', async () => {
  let changes = 0
  const { calls, account, identities } = openIdentities(() => {
    if (changes-- > 0) account.version++
  })
  const identity = await identities.verify('a.good.token')
  if (!identity) throw new Error('There is no identity')
  account.version++
  changes = 1
  for (let i = 0; i < 3; i++) expect(identities.validate(identity)).toBe('valid')
  // Once for the token, once for the first change, and once for the change during that read.
  expect(calls.found).toBe(3)
})

test('a stored value that is not a hash costs one hash, as a wrong password does', async () => {
  const passwords = createPasswords({ concurrency: 1 })
  const verify = spyOn(Bun.password, 'verify')
  try {
    expect(await passwords.verify('a password', 'disabled')).toBe(false)
    const hashes = verify.mock.calls.map(([, stored]) => String(stored))
    expect(hashes).toEqual([expect.stringMatching(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)])
  } finally {
    verify.mockRestore()
  }
})
