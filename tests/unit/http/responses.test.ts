import { expect, test } from 'bun:test'
import { createCors } from '../../../src/http/cors.ts'
import { createErrorHandler } from '../../../src/http/error-handler.ts'
import { createOriginCheck } from '../../../src/http/origins.ts'
import { createResponses } from '../../../src/http/responses.ts'
import { createMemoryRateLimits } from '../../../src/limits/rate-limits.memory.ts'
import { createLogger } from '../../../src/logger.ts'

const success = { method: 'GET', route: '/api/users/profile', status: 200, headers: { 'x-operation': 'a' } }

function openResponses(allowed: readonly string[] = ['https://a.example', 'https://b.example']) {
  const logger = createLogger({ level: 'silent', write() {} })
  const isAllowed = createOriginCheck({ allowed, development: false })
  const cors = createCors({ isAllowed, allowsAny: allowed.includes('*') })
  return createResponses({
    logger,
    toProblem: createErrorHandler(logger),
    clientAddress: () => '192.0.2.1',
    logClientAddress: true,
    cors,
  })
}

const limiter = createMemoryRateLimits({ enabled: true, overrides: {} }).limiter({
  policy: 'read',
  quota: 10,
  window: 60,
  partition: 'user',
})

const requestFrom = (origin?: string) =>
  new Request('http://localhost/api/users/profile', { headers: origin === undefined ? {} : { origin } })

const headerNames = ['x-request-id', 'ratelimit', 'access-control-allow-origin'] as const
const valuesOf = (response: Response) => headerNames.map((name) => response.headers.get(name))

// All success responses of an operation share one Headers object, which is changed before each response.
// That is correct only while Bun copies the headers when it creates a response.
test('responses that are created one after the other keep their own headers', async () => {
  const responses = openResponses()
  const toResponse = responses.json(success)
  const origins = ['https://a.example', undefined, 'https://b.example', 'https://evil.example']
  const created = origins.map((origin, i) => {
    const context = responses.startRequest(requestFrom(origin), success.route, null)
    context.limiter = limiter
    context.count = { exceeded: false, remaining: 9 - i, resetSeconds: 60 }
    return { context, response: toResponse(context, JSON.stringify({ number: i })) }
  })
  const expected = created.map(({ context }, i) => [
    context.requestId,
    `"read";r=${9 - i};t=60`,
    ['https://a.example', null, 'https://b.example', null][i] as string | null,
  ])
  // Read only now, after all of them have been created, in both directions.
  expect(created.map(({ response }) => valuesOf(response))).toEqual(expected)
  expect(new Set(expected.map(([id]) => id)).size).toBe(origins.length)
  for (const [i, { response }] of created.entries()) {
    expect(response.headers.get('x-operation')).toBe('a')
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(response.headers.get('vary')).toBe('Origin')
    expect(await response.json()).toEqual({ number: i })
  }
})

test('changing the headers of a response does not change those of a later one', () => {
  const responses = openResponses()
  const toResponse = responses.json(success)
  const first = toResponse(responses.startRequest(requestFrom(), success.route, null), '{}')
  first.headers.set('x-operation', 'changed')
  first.headers.set('set-cookie', 'a=b')
  const second = toResponse(responses.startRequest(requestFrom(), success.route, null), '{}')
  expect(second.headers.get('x-operation')).toBe('a')
  expect(second.headers.get('set-cookie')).toBeNull()
})

test('operations with different headers and statuses do not affect each other', () => {
  const responses = openResponses(['*'])
  const read = responses.json(success)
  const create = responses.json({
    method: 'POST',
    route: '/api/auth/register',
    status: 201,
    headers: { 'x-operation': 'b', 'x-other': 'c' },
  })
  const [first, second, third] = [read, create, read].map((toResponse) =>
    toResponse(responses.startRequest(requestFrom(), success.route, null), '{}'),
  ) as [Response, Response, Response]
  expect([first.status, second.status, third.status]).toEqual([200, 201, 200])
  const operations = [first, second, third].map(({ headers }) => headers.get('x-operation'))
  expect(operations).toEqual(['a', 'b', 'a'])
  expect([first, third].map(({ headers }) => headers.get('x-other'))).toEqual([null, null])
  expect(new Set([first, second, third].map(({ headers }) => headers.get('x-request-id'))).size).toBe(3)
})

test('a served response keeps its headers while later ones are created', async () => {
  const responses = openResponses()
  const toResponse = responses.json(success)
  await using server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const context = responses.startRequest(request, success.route, null)
      const response = toResponse(context, JSON.stringify({ requestId: context.requestId }))
      // Other requests create their responses before this one is sent.
      await Bun.sleep(Math.random() * 5)
      return response
    },
  })
  const received = await Promise.all(
    Array.from({ length: 100 }, async (_, i) => {
      const origin = i % 2 === 0 ? 'https://a.example' : 'https://b.example'
      const response = await fetch(server.url, { headers: { origin } })
      const { requestId } = (await response.json()) as { requestId: string }
      return [requestId === response.headers.get('x-request-id'), valuesOf(response)[2] === origin]
    }),
  )
  expect(received.every(([sameId, sameOrigin]) => sameId && sameOrigin)).toBe(true)
})
