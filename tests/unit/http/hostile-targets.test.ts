import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { METHODS } from 'node:http'
import { failedLines, largeQuotas, type RawResponse, requestText, sendRaw } from '../support/raw-responses.ts'
import { type Service, startService } from '../support/service.ts'

let service: Service
let token: string

beforeAll(async () => {
  service = await startService(largeQuotas)
  token = (await service.account('someone')).token
})
afterAll(() => service[Symbol.asyncDispose]())

async function outcomeOf(method: string, target: string, host: string) {
  const [response] = await sendRaw(
    service.url,
    requestText(method, target, [`Host: ${host}`, `Authorization: Bearer ${token}`]),
  )
  return response as RawResponse
}

describe('a Host that is not a valid URL host changes no outcome', () => {
  const hosts = [
    'a b',
    '',
    '[::1',
    '..',
    '%zz',
    'x:99999',
    'a/b',
    'a?b',
    'a#b',
    'a@b',
    'a\\b',
    '\xe9',
    'a\tb',
  ]
  const requests: [method: string, target: string, status: number][] = [
    ['GET', '/', 200],
    ['GET', '/livez', 200],
    ['HEAD', '/readyz', 200],
    ['GET', '/problems', 200],
    ['GET', '/problems/not-found', 200],
    ['GET', '/problems/nothing', 404],
    ['GET', '/swagger', 200],
    ['GET', '/swagger/swagger-client.js', 200],
    ['GET', '/openapi.json', 200],
    ['GET', '/api/users/profile', 200],
    ['GET', '/api/chats/messages?limit=1', 200],
    ['GET', '/api/chats/messages?limit=x', 422],
    ['GET', '/nothing?limit=1', 404],
    ['PUT', '/api/users/profile', 405],
    ['DELETE', '/livez', 405],
    ['PROPFIND', '/livez', 405],
    ['OPTIONS', '/api/chats/send', 405],
  ]
  for (const host of hosts) {
    test(JSON.stringify(host), async () => {
      for (const [method, target, status] of requests) {
        const { status: received, headers } = await outcomeOf(method, target, host)
        expect([method, target, received]).toEqual([method, target, status])
        expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
      }
      expect(failedLines(service)).toEqual([])
    })
  }

  test('none, with HTTP/1.0', async () => {
    for (const [method, target, status] of requests) {
      const [response] = await sendRaw(
        service.url,
        requestText(method, target, [`Authorization: Bearer ${token}`], '1.0'),
      )
      expect([method, target, response?.status]).toEqual([method, target, status])
    }
  })

  test('and operations are counted, the handshake too', async () => {
    const upgrade = [
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ]
    for (const host of hosts) {
      const { headers } = await outcomeOf('GET', '/api/chats/messages?limit=x', host)
      expect(headers.get('ratelimit')).toMatch(/^"read";/)
      const [handshake] = await sendRaw(
        service.url,
        requestText('GET', '/?after=x&after=y', [
          `Host: ${host}`,
          `Authorization: Bearer ${token}`,
          'Origin: http://a b',
          ...upgrade,
        ]),
      )
      expect([handshake?.status, handshake?.headers.get('ratelimit')]).toEqual([
        403,
        expect.stringMatching(/^"connect";/),
      ])
    }
  })
})

describe('a path that is not literally that of a route is unknown', () => {
  const targets = [
    '/api/users/./profile',
    '/api/users/../users/profile',
    '/api/users/%2e/profile',
    '/api/users/%2E%2E/users/profile',
    '/api/%75sers/profile',
    '/api\\users\\profile',
    '//api/users/profile',
    '/api/users/profile/',
    '/api/users/profile/.',
    '/api/users/profile;x',
    '/api/users/profile#x',
    '/../../api/users/profile',
    '/./livez',
    '/x/../livez',
    '/livez#x',
    '/livez/',
    '/swagger/../openapi.json',
    '/#x',
    '/#/api/users/profile',
    '//',
    '/.',
    '/..',
    '/%2e%2e/',
    '/%zz',
    '/%00',
    '/problems/%zz',
    '/problems/%c0%af',
    '/problems/.',
    '/problems/%2e%2e',
    '/problems/not-found#x',
    '/swagger/%c0%af',
    '/swagger/..%5c..%5cpackage.json',
    '/*',
    `/${'a'.repeat(4000)}`,
  ]
  for (const target of targets) {
    test(target.slice(0, 60), async () => {
      for (const host of ['localhost', 'a b']) {
        const { status, headers, body } = await outcomeOf('GET', target, host)
        expect([status, headers.get('content-type'), headers.has('allow')]).toEqual([
          404,
          'application/problem+json',
          false,
        ])
        expect(JSON.parse(body).requestId).toBe(headers.get('x-request-id'))
      }
    })
  }

  test('for other methods as well', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'OPTIONS', 'TRACE']) {
      expect((await outcomeOf(method, '/api/users/./profile', 'localhost')).status).toBe(404)
      const { status, headers } = await outcomeOf(method, '/api/users/profile', 'localhost')
      expect([status, headers.get('allow')]).toEqual([405, 'DELETE, GET, HEAD'])
    }
  })
})

test('every method that HTTP knows is answered on every kind of path', async () => {
  const expected: [target: string, allow: string][] = [
    ['/api/users/profile', 'DELETE, GET, HEAD'],
    ['/api/chats/send', 'POST'],
    ['/', 'GET, HEAD'],
    ['/livez', 'GET, HEAD'],
    ['/problems/not-found', 'GET, HEAD'],
    ['/swagger/swagger-client.js', 'GET, HEAD'],
  ]
  for (const method of METHODS) {
    for (const [target, allow] of expected) {
      if (allow.split(', ').includes(method)) continue
      const { status, headers } = await outcomeOf(method, target, 'localhost')
      expect([method, target, status, headers.get('allow')]).toEqual([method, target, 405, allow])
    }
    expect((await outcomeOf(method, '/nothing', 'localhost')).status).toBe(404)
  }
})

test('the absolute form of a target is understood, and its host is ignored', async () => {
  expect((await outcomeOf('GET', 'http://elsewhere.example/api/users/profile?x=1', 'localhost')).status).toBe(
    200,
  )
  expect((await outcomeOf('GET', 'http://elsewhere.example', 'a b')).status).toBe(200)
})

test('CONNECT to an authority is refused', async () => {
  expect((await outcomeOf('CONNECT', 'localhost:80', 'localhost')).status).toBe(404)
})

describe('the query is what form encoding makes of the text of the target', () => {
  const queries: [query: string, pointers: string[]][] = [
    ['', []],
    ['&&', []],
    ['limit=1', []],
    ['l%69mit=%31', []],
    ['limit=1#limit=x', []],
    ['limit=%zz', ['/limit']],
    ['%zz', ['/%zz']],
    ['?limit=1', ['/?limit']],
    ['a+b=1', ['/a b']],
    ['%c0%af=1', ['/\ufffd\ufffd']],
    ['=1', ['/']],
    ['limit=1;after=a', ['/limit']],
    ['limit=1&limit=1&limit=1', ['/limit']],
  ]
  for (const [query, pointers] of queries) {
    test(query, async () => {
      for (const host of ['localhost', 'a b']) {
        const { status, body } = await outcomeOf('GET', `/api/chats/messages?${query}`, host)
        const problem = JSON.parse(Buffer.from(body, 'latin1').toString())
        expect([status, (problem.errors ?? []).map((each: { pointer: string }) => each.pointer)]).toEqual([
          pointers.length === 0 ? 200 : 422,
          pointers,
        ])
      }
    })
  }
})

describe('the declared length', () => {
  const send = (length: string, body: string) =>
    sendRaw(
      service.url,
      requestText('POST', '/api/chats/send', [
        'Host: localhost',
        `Authorization: Bearer ${token}`,
        'Content-Type: application/json',
        ...length.split('|').map((each) => `Content-Length: ${each}`),
      ]) + body,
    )
  const body = '{"message":"a"}'

  test('may be repeated and have leading zeros', async () => {
    for (const length of ['15|15', '015', ' 15 ']) expect((await send(length, body))[0]?.status).toBe(200)
  })
  test('is limited in these notations as well', async () => {
    for (const length of ['70000|70000', '0070000', '99999999999|99999999999']) {
      expect((await send(length, body))[0]?.status).toBe(413)
    }
  })
})

test('the service still works', async () => {
  expect((await service.get('/api/users/profile', token)).status).toBe(200)
  expect(failedLines(service)).toEqual([])
})
