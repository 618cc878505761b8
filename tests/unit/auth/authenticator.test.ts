import { expect, test } from 'bun:test'
import { BlockList } from 'node:net'
import { createAuthenticator } from '../../../src/auth/authenticator.ts'
import { createIdentities } from '../../../src/auth/identities.ts'
import type { RequestContext } from '../../../src/http/request-context.ts'
import { createClientAddress } from '../../../src/limits/client-address.ts'
import { createMemoryRateLimits } from '../../../src/limits/rate-limits.memory.ts'
import type { RateLimiter } from '../../../src/limits/rate-limits.ts'
import type { MaybePromise } from '../../../src/maybe-promise.ts'
import type { Account, User, Users } from '../../../src/users/users.ts'

interface Options {
  /** Seconds since the epoch; the requests arrive at 1. */
  readonly expiresAt?: number
  readonly limiter?: RateLimiter
  /** Answers `find` in place of the current account. */
  readonly find?: (current: Account | undefined) => MaybePromise<Account | undefined>
}

/** Opens an authenticator for one account, and counts the verified tokens and the account reads. */
function openAuthenticator({ expiresAt = Number.POSITIVE_INFINITY, limiter, find }: Options = {}) {
  const calls = { verified: 0, found: 0 }
  let account: Account | undefined = { user: { id: 'an id', username: 'someone' }, tokensValidFrom: 0 }
  const revoked = new Set<string>()
  let version = 1
  const users: Partial<Users> = {
    find() {
      calls.found++
      return find ? find(account) : account
    },
    version: () => version,
  }
  const rateLimits = createMemoryRateLimits({ enabled: true, overrides: {} })
  const tokens = {
    issue: async () => ({ token: 'a.good.token', expiresAt }),
    async verify(token: string) {
      calls.verified++
      if (token !== 'a.good.token') return undefined
      return { tokenId: 'a token', userId: 'an id', expiresAt, authTime: 0, tokensValidFrom: 0 }
    },
  }
  const authenticator = createAuthenticator({
    identities: createIdentities({
      tokens,
      users: users as Users,
      revocations: { isRevoked: (id) => revoked.has(id), revoke: (id) => void revoked.add(id) },
      rateLimits,
    }),
    rateLimits,
    clientAddress: createClientAddress(new BlockList()),
    isDraining: () => false,
  })
  return {
    calls,
    validate: authenticator.validate,
    identify: authenticator.identify,
    /** Changes the account; undefined removes it. */
    change(changed: User | undefined, tokensValidFrom = 0) {
      account = changed && { user: changed, tokensValidFrom }
      version++
    },
    revokeToken() {
      revoked.add('a token')
      version++
    },
    /** Changes the account without changing the version. */
    changeUnnoticed(changed: User) {
      account = { user: changed, tokensValidFrom: 0 }
    },
    authenticate(authorization: string | null, cachesIdentity = true) {
      const context = {
        request: new Request('http://localhost'),
        arrivedAt: 1,
        startedAt: 1,
      } as RequestContext
      return authenticator.authenticate(
        { secured: true, cachesIdentity, limiter },
        context,
        authorization,
        null,
      )
    },
  }
}

test('a cached identity is returned synchronously, without verifying the token or reading the account', async () => {
  const { authenticate, calls } = openAuthenticator()
  const first = authenticate('Bearer a.good.token')
  expect(first).toBeInstanceOf(Promise)
  expect(await first).toMatchObject({ user: { username: 'someone' } })
  expect(authenticate('Bearer a.good.token')).toMatchObject({ user: { username: 'someone' } })
  expect(calls).toEqual({ verified: 1, found: 1 })
})

test('a route that caches no identities verifies the token of each request', async () => {
  const { authenticate, calls } = openAuthenticator()
  for (const _ of [1, 2, 3]) {
    expect(await authenticate('Bearer a.good.token', false)).toMatchObject({ user: { id: 'an id' } })
  }
  expect(calls.verified).toBe(3)
})

test('white space around a token does not create another cache entry', async () => {
  const { authenticate, calls } = openAuthenticator()
  for (const _ of [1, 2]) {
    expect(await authenticate('Bearer  a.good.token')).toMatchObject({ user: { id: 'an id' } })
  }
  expect(await authenticate('Bearer a.good.token \t')).toMatchObject({ user: { id: 'an id' } })
  expect(calls.verified).toBe(1)
})

test('an invalid token is verified each time', async () => {
  const { authenticate, calls } = openAuthenticator()
  for (const _ of [1, 2]) await expect(authenticate('Bearer a.bad.token')).rejects.toThrow('invalid-token')
  expect(calls.verified).toBe(2)
})

test('a cached identity whose token has expired is not used', async () => {
  const { authenticate, calls } = openAuthenticator({ expiresAt: 1 })
  await authenticate('Bearer a.good.token')
  await authenticate('Bearer a.good.token')
  expect(calls.verified).toBe(2)
})

test('a cached identity follows its account: a changed one is returned, a removed one is refused', async () => {
  const { authenticate, change } = openAuthenticator()
  await authenticate('Bearer a.good.token')
  change({ id: 'an id', username: 'renamed' })
  expect(authenticate('Bearer a.good.token')).toMatchObject({ user: { username: 'renamed' } })
  change(undefined)
  await expect(authenticate('Bearer a.good.token')).rejects.toThrow('invalid-token')
})

test('the account of a cached identity is read once after each change of the version', async () => {
  const { authenticate, calls, change, changeUnnoticed } = openAuthenticator()
  await authenticate('Bearer a.good.token')
  changeUnnoticed({ id: 'an id', username: 'unnoticed' })
  expect(authenticate('Bearer a.good.token')).toMatchObject({ user: { username: 'someone' } })
  expect(calls.found).toBe(1)
  change({ id: 'an id', username: 'noticed' })
  for (const _ of [1, 2, 3]) {
    expect(authenticate('Bearer a.good.token')).toMatchObject({ user: { username: 'noticed' } })
  }
  expect(calls.found).toBe(2)
})

const user = { id: 'an id', username: 'someone' }
const invalidations: [string, string, (opened: ReturnType<typeof openAuthenticator>) => void][] = [
  ['the account has been removed', 'account-removed', ({ change }) => change(undefined)],
  ['all tokens of the user have been revoked', 'logged-out', ({ change }) => change(user, 1)],
  ['the token has been revoked', 'logged-out', ({ revokeToken }) => revokeToken()],
]
for (const [name, validity, invalidate] of invalidations) {
  test(`once ${name}, the identity is no longer valid, cached or not`, async () => {
    const opened = openAuthenticator()
    const { authenticate, validate, identify } = opened
    const identity = await authenticate('Bearer a.good.token')
    if (!identity) throw new Error('There is no identity')
    expect(validate(identity)).toBe('valid')
    invalidate(opened)
    expect(validate(identity)).toBe(validity as never)
    await expect(authenticate('Bearer a.good.token')).rejects.toThrow('invalid-token')
    await expect(authenticate('Bearer a.good.token')).rejects.toThrow('invalid-token')
    expect(await identify('a.good.token')).toBeUndefined()
  })
}

test('while a user is the same, the identity keeps the same object, for which responses are cached', async () => {
  const { authenticate, change } = openAuthenticator()
  const before = (await authenticate('Bearer a.good.token'))?.user
  change({ ...user })
  expect((await authenticate('Bearer a.good.token'))?.user).toBe(before as User)
})

test('accounts that are read asynchronously give the same results', async () => {
  const { authenticate, change, calls } = openAuthenticator({
    find: async (current) => {
      await Bun.sleep(1)
      return current
    },
  })
  await authenticate('Bearer a.good.token')
  expect(authenticate('Bearer a.good.token')).toMatchObject({ user: { username: 'someone' } })
  change({ id: 'an id', username: 'renamed' })
  expect(await authenticate('Bearer a.good.token')).toMatchObject({ user: { username: 'renamed' } })
  expect(calls.verified).toBe(1)
  change(undefined)
  await expect(authenticate('Bearer a.good.token')).rejects.toThrow('invalid-token')
})

const failures: [string, () => MaybePromise<never>][] = [
  [
    'throws',
    () => {
      throw new Error('outage')
    },
  ],
  ['rejects', () => Promise.reject(new Error('outage'))],
]
for (const [way, fail] of failures) {
  test(`a request is counted even if reading its account ${way}`, async () => {
    let fails = false
    const limits = createMemoryRateLimits({ enabled: true, overrides: {} })
    const limiter = limits.limiter({ policy: 'read', quota: 3, window: 60, partition: 'ip' })
    const { authenticate, change } = openAuthenticator({
      limiter: limiter as RateLimiter,
      find: (current) => (fails ? fail() : current),
    })
    await authenticate('Bearer a.good.token')
    fails = true
    change({ id: 'an id', username: 'changed' })
    const attempt = async () => authenticate('Bearer a.good.token')
    // The first uses the cached identity. The second is not cached.
    await expect(attempt()).rejects.toThrow('outage')
    await expect((async () => authenticate('Bearer  a.good.token'))()).rejects.toThrow('outage')
    await expect(attempt()).rejects.toThrow('rate-limit-exceeded')
  })
}

test.each([null, '', 'Bearer', 'Bearer ', 'Basic good', 'good', 'BearerX good'])(
  'the header %p contains no token',
  (authorization) => {
    const { authenticate, calls } = openAuthenticator()
    expect(() => authenticate(authorization)).toThrow('missing-token')
    expect(calls.verified).toBe(0)
  },
)

test.each(['bearer a.good.token', 'BEARER a.good.token', 'Bearer  a.good.token '])(
  'the header %p contains a token',
  async (authorization) => {
    expect(await openAuthenticator().authenticate(authorization)).toMatchObject({ user: { id: 'an id' } })
  },
)
