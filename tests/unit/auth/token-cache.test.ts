import { describe, expect, test } from 'bun:test'
import { createIdentities } from '../../../src/auth/identities.ts'
import { createTokens } from '../../../src/auth/tokens.ts'
import { createMemoryRateLimits } from '../../../src/limits/rate-limits.memory.ts'
import { requestHead, sendRaw } from '../support/raw-http.ts'
import { bearer, keys, startService } from '../support/service.ts'

describe('a token in another notation is invalid', async () => {
  const variants: [string, (token: string) => string][] = [
    ['a space within the signature', (token) => `${token.slice(0, -5)} ${token.slice(-5)}`],
    ['a tab within the signature', (token) => `${token.slice(0, -5)}\t${token.slice(-5)}`],
    ['padding', (token) => `${token}=`],
    ['a fourth part', (token) => `${token}.`],
    ['base64 instead of base64url', (token) => `${token.slice(0, -1)}+`],
    ['a comma', (token) => `${token},`],
    ['a quotation mark', (token) => `"${token}"`],
    ['more than 1,024 characters', (token) => token.replace('.', `${'A'.repeat(1024)}.`)],
  ]
  for (const [name, change] of variants) {
    test(name, async () => {
      await using service = await startService()
      const { token } = await service.account('someone')
      const head = requestHead('GET', '/api/users/profile', {
        authorization: `Bearer ${change(token)}`,
        connection: 'close',
      })
      const { status, body } = await sendRaw(service.url, head)
      expect([status, JSON.parse(body).code]).toEqual([401, 'invalid-token'])
      expect((await service.get('/api/users/profile', token)).status).toBe(200)
    })
  }
})

test('requests that the rate limit refuses do not verify their token twice, and add nothing to the cache', async () => {
  await using service = await startService({ RATE_LIMITS: 'on', RATE_LIMIT_READ: '1/60' })
  const { user } = await service.account('someone')
  const tokens = createTokens({ keys, ttlSeconds: 600 })
  const issue = async () => (await tokens.issue({ user, tokensValidFrom: 0 })).token
  const first = await issue()
  expect((await service.get('/api/users/profile', first)).status).toBe(200)
  // Each of these is a valid token of the same user, whose quota is used up.
  for (let i = 0; i < 5; i++) {
    const response = await service.get('/api/users/profile', await issue())
    expect(response.status).toBe(429)
  }
  // A cached identity is found without reading the account, so a refused token must read it again.
  let reads = 0
  const { find } = service.storage.users
  Object.assign(service.storage.users, {
    find(id: string) {
      reads++
      return find(id)
    },
  })
  const refused = await issue()
  for (let i = 0; i < 3; i++) expect((await service.get('/api/users/profile', refused)).status).toBe(429)
  expect(reads).toBe(3)
  expect((await fetch(`${service.url}/api/users/profile`, { headers: bearer(first) })).status).toBe(429)
  expect(reads).toBe(3)
})

/** A cache, and a function that creates identities for it. */
function createCache() {
  const rateLimits = createMemoryRateLimits({ enabled: true, overrides: {} })
  const user = { id: 'an id', username: 'someone' }
  const users = { version: () => 1, find: () => ({ user, tokensValidFrom: 0 }) } as never
  const tokens = { issue: async () => ({ token: '', expiresAt: 0 }), verify: async () => undefined }
  const revocations = { isRevoked: () => false } as never
  const identities = createIdentities({ tokens, users, revocations, rateLimits })
  const identity = (expiresAt: number) => ({
    user,
    accountsVersion: 1,
    tokenId: 'a token',
    authTime: 0,
    tokensValidFrom: 0,
    expiresAt,
    rateLimitKey: rateLimits.key(user.id),
  })
  return { identities, identity }
}

test('expired identities are removed from the cache', async () => {
  const { identities, identity } = createCache()
  for (let i = 0; i < 100; i++) identities.cache(`Bearer brief-${i}`, identity(1100), 1000)
  identities.cache('Bearer long', identity(9000), 1000)
  expect(identities.size()).toBe(101)
  // The next identity that is added more than a minute later removes those that have expired by then.
  identities.cache('Bearer new', identity(9000), 1200)
  expect(identities.size()).toBe(2)
  expect(identities.fromCache('Bearer long', 1200)).toBeDefined()
  expect(identities.fromCache('Bearer brief-1', 1200)).toBeUndefined()
})

test('white space and the case of the scheme add nothing to the cache', async () => {
  const { identities, identity } = createCache()
  const spellings = ['bearer token', 'BEARER token', 'Bearer   token', 'Bearer token\t', 'Bearer token']
  for (const first of spellings) {
    identities.cache(first, identity(9000), 1000)
    for (const each of spellings) expect(identities.fromCache(each, 1000)).toBeDefined()
  }
  expect(identities.size()).toBe(1)
  for (const other of ['Bearer', 'Bearer ', 'Basic token', 'token', 'Bearer Token', 'Bearer undefined', '']) {
    expect(identities.fromCache(other, 1000)).toBeUndefined()
  }
  // An expired identity is removed, however the request writes the header.
  expect(identities.fromCache('BEARER  token', 9000)).toBeUndefined()
  expect(identities.size()).toBe(0)
})
