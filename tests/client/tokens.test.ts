import { expect, test } from 'bun:test'
import { createClient, type StoredToken, webStore } from '../../client/src/index.ts'
import { startService } from '../unit/support/service.ts'
import { newUser, password, sleep, until } from './support/restartable-service.ts'

/** A map with the methods of `localStorage`. */
function fakeStorage() {
  const map = new Map<string, string>()
  return {
    map,
    getItem: (key: string) => map.get(key) ?? null,
    setItem: (key: string, value: string) => void map.set(key, value),
    removeItem: (key: string) => void map.delete(key),
  }
}

test('all calls that wait for a token share one login', async () => {
  await using service = await startService()
  const { username } = await newUser(service.url)
  const reasons: string[] = []
  const client = createClient(service.url, {
    async onAuthRequired(reason, { loginUser }) {
      reasons.push(reason)
      await loginUser({ username, password })
    },
  })
  client.setToken('not-a-token')
  const profiles = await Promise.all([client.getProfile(), client.getProfile(), client.getProfile()])
  expect(profiles.map(({ user }) => user.username)).toEqual([username, username, username])
  expect(reasons).toEqual(['invalid-token'])
  client.setToken()
  await client.getProfile()
  expect(reasons).toEqual(['invalid-token', 'missing-token'])
})

test('without a new token, a call rejects with the problem; with a failing login, with that failure', async () => {
  await using service = await startService()
  const { username } = await newUser(service.url)
  const anonymous = createClient(service.url)
  expect(await anonymous.getProfile().catch((each: unknown) => each)).toMatchObject({
    code: 'missing-token',
    operation: 'getProfile',
  })
  const failing = createClient(service.url, {
    onAuthRequired: (_, { loginUser }) => loginUser({ username, password: 'not the password' }),
  })
  expect(await failing.getProfile().catch((each: unknown) => each)).toMatchObject({
    code: 'unauthorized',
    operation: 'getProfile',
    cause: { code: 'invalid-credentials', operation: 'loginUser' },
  })
  const hanging = createClient(service.url, {
    onAuthRequired: () => new Promise(() => {}),
    authTimeoutMs: 50,
  })
  expect(await hanging.getProfile().catch((each: unknown) => each)).toMatchObject({ code: 'unauthorized' })
})

/** Sends a request. The token of a login then seems to be valid for 200 ms only, however slow the machine is. */
async function fetchExpiring(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, init)
  if (url.endsWith('/login'))
    response.headers.set('token-expires-at', new Date(Date.now() + 200).toISOString())
  return response
}

test('a token is renewed before it expires, once for all calls', async () => {
  await using service = await startService()
  const { username } = await newUser(service.url)
  const paths: string[] = []
  const client = createClient(service.url, {
    fetch: (url, init) => {
      paths.push(new URL(url).pathname)
      return fetchExpiring(url, init)
    },
  })
  await client.loginUser({ username, password })
  const first = client.token
  await sleep(110)
  await Promise.all([client.getProfile(), client.getProfile()])
  expect(client.token).not.toBe(first)
  expect(paths.filter((path) => path === '/api/auth/refresh')).toHaveLength(1)
})

test('a renewal that is refused or fails does not fail the call', async () => {
  await using service = await startService()
  const { username } = await newUser(service.url)
  for (const refusal of [
    () => Promise.reject(new TypeError('offline')),
    async () => Response.json({ code: 'session-expired', status: 401 }, { status: 401 }),
  ]) {
    let refusals = 0
    const client = createClient(service.url, {
      retries: 0,
      async fetch(url, init) {
        if (url.endsWith('/refresh')) {
          refusals++
          return refusal()
        }
        return fetchExpiring(url, init)
      },
    })
    await client.loginUser({ username, password })
    await sleep(110)
    expect((await client.getProfile()).user.username).toBe(username)
    await client.getProfile()
    expect(refusals).toBe(1)
  }
})

test('a wrong clock causes no renewals', async () => {
  await using service = await startService()
  const { username } = await newUser(service.url)
  const stored: (StoredToken | undefined)[] = []
  const client = createClient(service.url, {
    store: { load: () => undefined, save: (next) => void stored.push(next) },
    async fetch(url, init) {
      const response = await fetch(url, init)
      response.headers.set('token-expires-at', '2001-01-01T00:00:00.000Z')
      return response
    },
  })
  await client.loginUser({ username, password })
  await until(() => stored.length > 0)
  expect(stored[0]).toMatchObject({ expiresAt: '2001-01-01T00:00:00.000Z' })
  expect(stored[0]?.refreshAt).toBeUndefined()
})

test('a stored token is used after a reload, and forgotten after a logout', async () => {
  await using service = await startService()
  const { username } = await newUser(service.url)
  const storage = fakeStorage()
  const before = createClient(service.url, { store: webStore(storage) })
  await before.loginUser({ username, password })
  await until(() => storage.map.size > 0)
  const after = createClient(service.url, { store: webStore(storage) })
  expect((await after.getProfile()).user.username).toBe(username)
  await after.logoutUser()
  await until(() => storage.map.size === 0)
  expect(after.token).toBeUndefined()
})

test('a store that cannot be read counts as empty', async () => {
  await using service = await startService()
  const { username } = await newUser(service.url)
  const storage = fakeStorage()
  storage.map.set('parley', '{')
  const client = createClient(service.url, {
    store: webStore(storage),
    onAuthRequired: (_, { loginUser }) => loginUser({ username, password }),
  })
  expect((await client.getProfile()).user.username).toBe(username)
})

test('if the token in the store has expired as well, the application logs in', async () => {
  await using service = await startService()
  const { username } = await newUser(service.url)
  const storage = fakeStorage()
  storage.map.set('parley', JSON.stringify({ token: 'first' }))
  const reasons: string[] = []
  const client = createClient(service.url, {
    store: webStore(storage),
    onAuthRequired: (reason, { loginUser }) => {
      reasons.push(reason)
      return loginUser({ username, password })
    },
    fetch(url, init) {
      storage.map.set('parley', storage.map.get('parley')?.replace('first', 'second') ?? '')
      return fetch(url, init)
    },
  })
  expect((await client.getProfile()).user.username).toBe(username)
  expect(reasons).toEqual(['invalid-token'])
})

test('a tab uses the token that another tab has got', async () => {
  await using service = await startService()
  const { username } = await newUser(service.url)
  const storage = fakeStorage()
  const logins: string[] = []
  const tab = (name: string) =>
    createClient(service.url, {
      store: webStore(storage),
      async onAuthRequired(_, { loginUser }) {
        logins.push(name)
        await loginUser({ username, password })
      },
    })
  const [first, second] = [tab('first'), tab('second')]
  await first.getProfile()
  await second.getProfile()
  await first.logoutUser({ everywhere: true })
  await sleep(1100)
  await first.getProfile()
  await second.getProfile()
  expect(logins).toEqual(['first', 'first'])
  expect(second.token).toBe(first.token)
})

test('a store may be asynchronous, and may fail', async () => {
  await using service = await startService()
  const { username, client } = await newUser(service.url)
  const { token } = client
  const slow = createClient(service.url, {
    store: {
      load: () => sleep(20).then(() => ({ token: token as string })),
      save: () => Promise.reject(new Error('full')),
    },
  })
  expect((await slow.getProfile()).user.username).toBe(username)
  await slow.loginUser({ username, password })
  expect((await slow.getProfile()).user.username).toBe(username)
})
