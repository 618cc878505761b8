import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { METHODS } from 'node:http'
import { connect } from 'node:net'
import fc from 'fast-check'
import { startChild } from '../support/child.ts'
import { type Service, startService, temporaryFolder } from '../support/service.ts'

/** A request that must be answered waits this long. Nothing asserts it. */
const patientMs = 10_000

/** A random request, which the parser may take for an incomplete one, is given up after this time. */
const quietMs = 100

interface RawResponse {
  readonly status: number
  readonly headers: Headers
  readonly body: string
}

/** Sends bytes, and returns the responses that arrive until the connection closes or stays quiet. */
async function sendRaw(url: string, request: string, maxQuietMs = patientMs): Promise<RawResponse[]> {
  const { hostname, port } = new URL(url)
  const text = await new Promise<string>((resolve) => {
    let received = ''
    const socket = connect({ host: hostname, port: Number(port) }, () => {
      socket.write(Buffer.from(request, 'latin1'))
    })
    socket.setTimeout(maxQuietMs, () => socket.destroy())
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(received))
  })
  return parseResponses(text, request.startsWith('HEAD'))
}

/** @throws Error if the text is not a sequence of well-formed responses */
function parseResponses(text: string, isHead: boolean): RawResponse[] {
  const responses: RawResponse[] = []
  let rest = text
  while (rest !== '') {
    const match = /^HTTP\/1\.1 (\d{3}) [^\r\n]*\r\n((?:[^\r\n:]+:[^\r\n]*\r\n)*)\r\n/.exec(rest)
    if (!match) throw new Error(`Not a response: ${JSON.stringify(rest.slice(0, 200))}`)
    const [whole, status, lines = ''] = match
    const headers = new Headers(
      lines
        .split('\r\n')
        .filter(Boolean)
        .map((line): [string, string] => {
          const colon = line.indexOf(':')
          return [line.slice(0, colon), line.slice(colon + 1).trim()]
        }),
    )
    const length = isHead ? 0 : Number(headers.get('content-length') ?? 0)
    const body = rest.slice(whole.length, whole.length + length)
    if (body.length !== length) throw new Error(`Truncated: ${JSON.stringify(rest.slice(0, 200))}`)
    responses.push({ status: Number(status), headers, body })
    rest = rest.slice(whole.length + length)
  }
  return responses
}

/** Bun's parser refuses malformed HTTP itself, with an empty response. */
const isFromParser = ({ status, headers, body }: RawResponse) =>
  [400, 413, 414, 417, 431, 505].includes(status) && body === '' && !headers.has('x-request-id')

const requestText = (method: string, target: string, headers: readonly string[] = [], version = '1.1') =>
  [`${method} ${target} HTTP/${version}`, ...headers, 'Connection: close', '', ''].join('\r\n')

let service: Service
let token: string

beforeAll(async () => {
  service = await startService({
    RATE_LIMITS: 'on',
    RATE_LIMIT_READ: '100000/60',
    RATE_LIMIT_CONNECT: '100000/60',
  })
  token = (await service.account('someone')).token
})
afterAll(() => service[Symbol.asyncDispose]())

const failedLines = () =>
  service.lines.filter((line) => JSON.parse(line).level >= 40 && !line.includes('X-Forwarded-For'))

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
      expect(failedLines()).toEqual([])
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

describe('requests at random', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '.',
      '..',
      '%2e',
      '%zz',
      '%',
      '%00',
      '%c0%af',
      '\\',
      '#',
      '?',
      '//',
      ':',
      '*',
      '@',
      ';',
      '&',
      '=',
    ),
    fc.constantFrom(
      'api',
      'users',
      'profile',
      'chats',
      'messages',
      'send',
      'problems',
      'not-found',
      'swagger',
      'livez',
    ),
    fc.string({
      unit: fc.integer({ min: 0x21, max: 0xff }).map((code) => String.fromCharCode(code)),
      maxLength: 8,
    }),
  )
  const path = fc.array(piece, { maxLength: 6 }).map((pieces) => `/${pieces.join('/')}`)
  const target = fc.oneof(
    { weight: 6, arbitrary: path },
    fc.tuple(path, path).map(([before, after]) => `${before}?${after.slice(1)}`),
    fc.constantFrom(
      '/api/users/profile',
      '/api/chats/messages?limit=%zz',
      '/',
      '/livez',
      '/openapi.json',
      '/swagger',
    ),
    fc.constantFrom(
      '*',
      'http://a',
      'http://a b/',
      'HTTP://[::1/livez',
      'http://?x',
      'localhost:80',
      'mailto:x',
      '',
    ),
  )
  const host = fc.oneof(
    fc.constantFrom('localhost', 'a b', '', '[::1', 'x:99999', '%zz', '..', 'a/b', '\xe9', 'xn--a'),
    fc.string({
      unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)),
      maxLength: 8,
    }),
  )
  const headerLine = fc.oneof(
    host.map((value) => `Host: ${value}`),
    fc.constantFrom(
      'Host: b',
      'Authorization: Bearer x',
      'Authorization: bearer\tx',
      'Authorization: ',
      'Content-Type: application/json;',
      'Content-Type: application/json; charset="utf-8',
      'Content-Length: 2',
      'Content-Length: 3',
      'Content-Length: -1',
      'Transfer-Encoding: chunked',
      'Content-Encoding: , identity',
      'Origin: null',
      'Origin: http://a b',
      'Origin: capacitor://localhost',
      'X-Forwarded-For: [::1]:, _hidden, unknown',
      'Accept: text/html;q=x, ,*/*;q="',
      'API-Version: 1, 1',
      'If-None-Match: W/"a, *',
      'Upgrade: websocket',
      'Sec-WebSocket-Key: x',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Protocol: ,',
      'Expect: 100-continue',
      'Access-Control-Request-Method: x',
    ),
  )
  const request = fc
    .record({
      method: fc.constantFrom(
        'GET',
        'GET',
        'HEAD',
        'POST',
        'OPTIONS',
        'CONNECT',
        'TRACE',
        'DELETE',
        'PROPFIND',
        'BREW',
      ),
      target,
      version: fc.constantFrom('1.1', '1.1', '1.1', '1.0'),
      first: host,
      headers: fc.array(headerLine, { maxLength: 5 }),
      body: fc.constantFrom('', '', '{}', '0\r\n\r\n'),
      repeats: fc.constantFrom(1, 1, 2),
    })
    .map(({ method, target: path, version, first, headers, body, repeats }) =>
      `${requestText(method, path, [`Host: ${first}`, ...headers], version)}${body}`.repeat(repeats),
    )

  test('cause no failure, no malformed response and no crash', async () => {
    await using folder = await temporaryFolder()
    await using child = await startChild({
      environment: {
        DATA_DIR: folder.path,
        CORS_ORIGINS: 'https://*.example.com',
        TRUSTED_PROXIES: '127.0.0.1',
      },
    })
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 20, maxLength: 20 }), async (requests) => {
        const authorized = (each: string) => each.replaceAll('Bearer x', `Bearer ${token}`)
        const all = await Promise.all(
          requests.flatMap((each) => [
            sendRaw(child.url, each, quietMs),
            sendRaw(service.url, authorized(each), quietMs),
          ]),
        )
        for (const response of all.flat()) {
          if (isFromParser(response) || response.status === 100) continue
          expect(response.status).toBeLessThan(500)
          expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
        }
      }),
      { numRuns: 60, seed: 20261126, endOnFailure: true },
    )
    expect((await fetch(`${child.url}/livez`)).status).toBe(200)
    const levels = (await child.stop())
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line).level)
    expect(levels.filter((level) => level >= 40)).toEqual([])
  })
})

test('the service still works', async () => {
  expect((await service.get('/api/users/profile', token)).status).toBe(200)
  expect(failedLines()).toEqual([])
})
