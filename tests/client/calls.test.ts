import { expect, test } from 'bun:test'
import { createClient, type ErrorOf, isParleyError } from '../../client/src/index.ts'
import { openapi } from '../../src/contract/documents.ts'
import { startService } from '../unit/support/service.ts'
import { newUser, password } from './support/restartable-service.ts'

type Fetch = typeof globalThis.fetch

/** A fetch that runs `before` with the number of each request, which may throw or return a response. */
function countingFetch(change: (count: number, send: () => Promise<Response>) => Promise<Response>) {
  const counting = {
    count: 0,
    fetch: (url: string, init: RequestInit) => change(++counting.count, () => fetch(url, init)),
  }
  return counting
}

const problemResponse = (status: number, code: string, headers: Record<string, string> = {}) =>
  Response.json({ type: `/problems/${code}`, title: code, status, detail: code, code }, { status, headers })

test('there is a method for each operation of the document', () => {
  const operationIds = Object.values(openapi.paths)
    .flatMap((methods) => Object.values(methods))
    .map(({ operationId }) => operationId)
  const client = createClient('http://localhost:3000')
  const others = ['token', 'setToken', 'history', 'rooms', 'members', 'chat']
  expect(Object.keys(client).toSorted()).toEqual([...operationIds, ...others].toSorted())
})

test('every operation works against the service', async () => {
  await using service = await startService()
  const { client, username } = await newUser(service.url)
  const { user } = await client.getProfile()
  expect(user.username).toBe(username)
  await client.sendMessage({ message: 'Hello, world!' })
  const { messages, head } = await client.listMessages({ limit: 10 })
  expect(messages).toMatchObject([{ message: 'Hello, world!', user }])
  expect(await client.getMessage({ id: head })).toEqual(messages[0] as never)

  const first = client.token
  await client.refreshToken()
  const second = client.token
  expect(second).not.toBe(first)
  const newPassword = 'another horse battery staple'
  await client.changePassword({ currentPassword: password, newPassword })
  expect(client.token).not.toBe(second)
  await client.logoutUser()
  expect(client.token).toBeUndefined()
  await client.loginUser({ username, password: newPassword })
  await client.deleteProfile({ password: newPassword, eraseMessages: true })
  expect(client.token).toBeUndefined()
})

test('errors have the problem, and are typed by the codes of the operation', async () => {
  await using service = await startService()
  const { client, username } = await newUser(service.url)
  const error = await client.registerUser({ username, password }).catch((each: unknown) => each)
  if (!isParleyError(error, 'registerUser')) throw error
  const typed: ErrorOf<'registerUser'> = error
  switch (typed.code) {
    case 'username-taken':
      break
    // @ts-expect-error The document does not list this code for the operation.
    case 'cursor-gone':
      throw error
    default:
      throw error
  }
  expect(error.problem).toMatchObject({ status: 409, requestId: expect.any(String) })
  expect(error.outcome).toBe('not-done')
  expect(isParleyError(error, 'loginUser')).toBe(false)

  const invalid = await client.registerUser({ username: 'a', password }).catch((each: unknown) => each)
  expect(invalid).toMatchObject({
    code: 'validation-failed',
    problem: { errors: [{ pointer: '/username' }] },
  })
})

test('a message whose response was lost is sent again and stored once', async () => {
  await using service = await startService()
  const { token } = await service.account('anna')
  const network = countingFetch(async (count, send) => {
    const response = await send()
    if (count === 1) throw new TypeError('The connection was lost')
    return response
  })
  const client = createClient(service.url, { fetch: network.fetch })
  client.setToken(token)
  await client.sendMessage({ message: 'once' })
  expect(network.count).toBe(2)
  expect((await client.listMessages()).messages).toHaveLength(1)
})

test('a registration whose response was lost is not repeated', async () => {
  await using service = await startService()
  const network = countingFetch(async (_, send) => {
    await send()
    throw new TypeError('The connection was lost')
  })
  const client = createClient(service.url, { fetch: network.fetch })
  const error = await client.registerUser({ username: 'anna', password }).catch((each: unknown) => each)
  expect(error).toMatchObject({ code: 'network', outcome: 'unknown', operation: 'registerUser' })
  expect(network.count).toBe(1)
})

test('a call waits for Retry-After, but not if that takes too long', async () => {
  const waits: number[] = []
  const network = countingFetch(async (count) => {
    waits.push(performance.now())
    if (count === 1) return problemResponse(503, 'shutting-down', { 'retry-after': '1' })
    return problemResponse(429, 'rate-limit-exceeded', { 'retry-after': '3600' })
  })
  const client = createClient('http://localhost', { fetch: network.fetch })
  const error = await client.loginUser({ username: 'anna', password }).catch((each: unknown) => each)
  expect(error).toMatchObject({ code: 'rate-limit-exceeded', retryAfterSeconds: 3600 })
  expect(network.count).toBe(2)
  expect((waits[1] as number) - (waits[0] as number)).toBeGreaterThanOrEqual(995)
})

test('each attempt has its own timeout', async () => {
  await using silent = Object.assign(Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } }), {
    [Symbol.asyncDispose]: async () => silent.stop(true),
  })
  const client = createClient(`http://127.0.0.1:${silent.port}`, { timeoutMs: 50, retries: 1 })
  const error = await client.loginUser({ username: 'anna', password }).catch((each: unknown) => each)
  expect(error).toMatchObject({ code: 'timeout', operation: 'loginUser', outcome: 'unknown' })
})

test('a signal ends a call at once, also while it waits for the next attempt', async () => {
  const network = countingFetch(async () => problemResponse(503, 'shutting-down', { 'retry-after': '10' }))
  const client = createClient('http://localhost', { fetch: network.fetch })
  const controller = new AbortController()
  const pending = client.loginUser({ username: 'anna', password }, { signal: controller.signal })
  setTimeout(() => controller.abort('changed my mind'), 20)
  const error = await pending.catch((each: unknown) => each)
  expect(error).toMatchObject({ code: 'aborted', operation: 'loginUser', cause: 'changed my mind' })
  const again = await client
    .getProfile(undefined, { signal: controller.signal })
    .catch((each: unknown) => each)
  expect(again).toMatchObject({ code: 'aborted', operation: 'getProfile' })
  expect(network.count).toBe(1)
})

test('a page of a proxy is an unexpected response, and is requested again', async () => {
  const network = countingFetch(async (count) =>
    count === 1
      ? new Response('<h1>Bad gateway</h1>', { status: 502 })
      : Response.json({ user: { id: '1' } }),
  )
  const client = createClient('http://localhost', { fetch: network.fetch as Fetch })
  expect(await client.getProfile()).toMatchObject({ user: { id: '1' } })
  const alone = createClient('http://localhost', {
    retries: 0,
    fetch: async () => new Response('<h1>Bad gateway</h1>', { status: 502 }),
  })
  expect(await alone.getProfile().catch((each: unknown) => each)).toMatchObject({
    code: 'unexpected-response',
  })
})

test('a path under which a proxy publishes the service is kept', async () => {
  const urls: string[] = []
  const client = createClient('https://example.com/chat/', {
    fetch: async (url) => {
      urls.push(url)
      return Response.json({})
    },
  })
  await client.getMessage({ id: 'a-1' })
  expect(urls).toEqual(['https://example.com/chat/api/chats/messages/a-1'])
})
