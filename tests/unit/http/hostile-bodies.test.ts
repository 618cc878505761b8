import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { openapi } from '../../../src/contract/documents.ts'
import { requestHead, sendRaw } from '../support/raw-http.ts'
import { bearer, outcome, type Service, startService } from '../support/service.ts'

const path = '/api/chats/send'
const maxBytes = openapi['x-limits']['request-body-bytes']

let service: Service
let token: string

beforeAll(async () => {
  service = await startService()
  token = (await service.account('sender')).token
})
afterAll(() => service[Symbol.asyncDispose]())

const send = (body: RequestInit['body'], headers: Record<string, string> = {}) =>
  fetch(service.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...bearer(token), ...headers },
    body,
  })

const bytes = (...values: number[]) => new Uint8Array(values)
const text = (value: string) => new TextEncoder().encode(value)

describe('a body that is not JSON in UTF-8 is refused as malformed', () => {
  const bodies: [string, RequestInit['body']][] = [
    ['an empty body', ''],
    ['spaces', '   '],
    ['an unfinished object', '{"message":"Hello'],
    ['two values', '{"message":"a"}{"message":"b"}'],
    ['a trailing comma', '{"message":"a",}'],
    ['a comment', '{"message":"a"} // comment'],
    ['single quotes', "{'message':'a'}"],
    ['NaN', '{"message":NaN}'],
    ['undefined', 'undefined'],
    ['a form', 'message=Hello'],
    ['invalid UTF-8', bytes(...text('{"message":"'), 0xff, 0xfe, ...text('"}'))],
    ['an overlong slash', bytes(...text('{"message":"'), 0xc0, 0xaf, ...text('"}'))],
    ['a surrogate in UTF-8', bytes(...text('{"message":"'), 0xed, 0xa0, 0xb4, ...text('"}'))],
    ['a character that is cut off', bytes(...text('{"message":"'), 0xf0, 0x9f, 0x98, ...text('"}'))],
    ['invalid UTF-8 after a valid U+FFFD', bytes(...text('{"message":"\ufffd'), 0xff, ...text('"}'))],
    [
      'invalid UTF-8 after a byte order mark',
      bytes(0xef, 0xbb, 0xbf, ...text('{"message":"'), 0xff, ...text('"}')),
    ],
    ['two byte order marks', text('\ufeff\ufeff{"message":"a"}')],
    ['UTF-16', new Uint8Array(Buffer.from('{"message":"a"}', 'utf16le'))],
    ['64 KiB of [', '['.repeat(maxBytes)],
    ['64 KiB of {"a":', '{"a":'.repeat(maxBytes / 5)],
    ['a bare control character in a string', '{"message":"a\u0001"}'],
  ]
  for (const [name, body] of bodies) {
    test(name, async () => expect(await outcome(send(body))).toEqual([400, 'malformed-json']))
  }
})

describe('a JSON body that violates the schema is refused with the locations of the errors', () => {
  const bodies: [string, string, string[]][] = [
    ['null', 'null', ['']],
    ['a number', '1', ['']],
    ['an array', '[{"message":"a"}]', ['']],
    ['a deeply nested array', `{"message":${'['.repeat(20_000)}${']'.repeat(20_000)}}`, ['/message']],
    ['__proto__', '{"message":"a","__proto__":{"admin":true}}', ['/__proto__']],
    ['constructor', '{"message":"a","constructor":{"prototype":{"admin":true}}}', ['/constructor']],
    ['the message within __proto__', '{"__proto__":{"message":"a"}}', ['/message', '/__proto__']],
    ['the name of the property in another letter case', '{"Message":"a"}', ['/message', '/Message']],
    ['a lone surrogate', '{"message":"\\ud834"}', ['/message']],
    ['4,097 characters of two UTF-16 units', `{"message":"${'𝄞'.repeat(4097)}"}`, ['/message']],
    ['a duplicate property whose last value is invalid', '{"message":"a","message":1}', ['/message']],
    ['a property name that must be escaped in a pointer', '{"message":"a","a/b~c":1}', ['/a~1b~0c']],
  ]
  for (const [name, body, pointers] of bodies) {
    test(name, async () => {
      const response = await send(body)
      const { code, errors } = (await response.json()) as { code: string; errors: { pointer: string }[] }
      expect([response.status, code]).toEqual([422, 'validation-failed'])
      expect(errors.map(({ pointer }) => pointer).sort()).toEqual(pointers.toSorted())
    })
  }

  test('and no body has changed the prototype of all objects', () => {
    expect(({} as { admin?: boolean }).admin).toBeUndefined()
  })

  test('a thousand unknown properties cause twenty errors', async () => {
    const body = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`p${i}`, i]))
    const { errors } = (await (await send(JSON.stringify(body))).json()) as { errors: unknown[] }
    expect(errors).toHaveLength(20)
  })
})

describe('a body is accepted with', () => {
  const bodies: [string, RequestInit['body'], string][] = [
    ['4,096 characters of two UTF-16 units', `{"message":"${'𝄞'.repeat(4096)}"}`, '𝄞'.repeat(4096)],
    ['a duplicate property, the last value of which is used', '{"message":"first","message":"last"}', 'last'],
    ['a byte order mark', bytes(0xef, 0xbb, 0xbf, ...text('{"message":"marked"}')), 'marked'],
    ['U+FFFD', '{"message":"a\ufffdb"}', 'a\ufffdb'],
    ['a byte order mark in the message', '{"message":"\ufeffa"}', '\ufeffa'],
    ['an escaped NUL', '{"message":"a\\u0000b"}', 'a\0b'],
  ]
  for (const [name, body, message] of bodies) {
    test(name, async () => {
      expect((await send(body)).status).toBe(200)
      const page = await (await service.get('/api/chats/messages?limit=1', token)).json()
      expect((page as { messages: { message: string }[] }).messages[0]?.message).toBe(message)
    })
  }
})

describe('the media type', () => {
  const good = [
    'application/json',
    'Application/JSON',
    'application/json; charset=utf-8',
    'application/json;charset="UTF-8"',
  ]
  for (const type of good) {
    test(`${type} is accepted`, async () => {
      expect((await send('{"message":"a"}', { 'content-type': type })).status).toBe(200)
    })
  }
  const bad = [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json; charset=iso-8859-1',
    'application/json, text/plain',
    'application/jsonp',
    'application/json+patch',
    'x',
  ]
  for (const type of bad) {
    test(`${type} is refused`, async () => {
      expect(await outcome(send('{"message":"a"}', { 'content-type': type }))).toEqual([
        415,
        'unsupported-media-type',
      ])
    })
  }

  test('a request without Content-Type is refused', async () => {
    const response = await sendRaw(
      service.url,
      requestHead('POST', path, { ...bearer(token), 'content-length': 15 }),
      '{"message":"a"}',
    )
    expect([response.status, JSON.parse(response.body).code]).toEqual([415, 'unsupported-media-type'])
  })

  test('a content coding is refused, so that no compressed body is ever expanded', async () => {
    const packed = Bun.gzipSync(JSON.stringify({ message: 'a'.repeat(10_000_000) }))
    for (const coding of ['gzip', 'br', 'deflate', 'gzip, identity']) {
      expect(await outcome(send(packed, { 'content-encoding': coding }))).toEqual([
        415,
        'unsupported-media-type',
      ])
    }
    expect((await send('{"message":"a"}', { 'content-encoding': 'identity' })).status).toBe(200)
  })
})

describe('a body of 64 KiB', () => {
  const ofLength = (length: number) => '{"message":"a"}'.padEnd(length, ' ')
  /** Chunks of about 8 KiB, and no Content-Length. */
  function chunked(length: number): (string | Uint8Array)[] {
    const body = ofLength(length)
    const chunks = body.match(/.{1,8000}/gs) ?? []
    const heading = requestHead('POST', path, {
      ...bearer(token),
      'content-type': 'application/json',
      'transfer-encoding': 'chunked',
    })
    return [heading, ...chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`), '0\r\n\r\n']
  }

  test('with Content-Length is accepted', async () => {
    expect((await send(ofLength(maxBytes))).status).toBe(200)
  })
  test('and one byte, with Content-Length, is too large', async () => {
    expect(await outcome(send(ofLength(maxBytes + 1)))).toEqual([413, 'content-too-large'])
  })
  test('in chunks is accepted', async () => {
    expect((await sendRaw(service.url, ...chunked(maxBytes))).status).toBe(200)
  })
  test('and one byte, in chunks, is too large', async () => {
    const response = await sendRaw(service.url, ...chunked(maxBytes + 1))
    expect([response.status, JSON.parse(response.body).code]).toEqual([413, 'content-too-large'])
  })
  test('or more that Content-Length declares is refused before the body arrives', async () => {
    for (const length of ['1000000000000', '9007199254740991']) {
      const heading = requestHead('POST', path, {
        ...bearer(token),
        'content-type': 'application/json',
        'content-length': length,
      })
      const response = await sendRaw(service.url, heading, '{"message":')
      expect([response.status, JSON.parse(response.body).code]).toEqual([413, 'content-too-large'])
    }
  })
  test('does not stop the service', async () => {
    expect((await send('{"message":"a"}')).status).toBe(200)
  })
})

describe('a request that the HTTP parser may refuse', () => {
  const internals = /src\/|node_modules|\.ts|at \w+ \(|Error:|SELECT/

  const requests: [string, string][] = [
    ['a header of 100 kB', requestHead('GET', '/livez', { 'x-large': 'a'.repeat(100_000) })],
    [
      'a thousand headers',
      requestHead(
        'GET',
        '/livez',
        Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`x-${i}`, 'a'])),
      ),
    ],
    ['a path of 100 kB', requestHead('GET', `/${'a'.repeat(100_000)}`, {})],
    [
      'a Content-Length that is not a number',
      requestHead('POST', path, { 'content-length': 'x', 'content-type': 'application/json' }),
    ],
    [
      'two different values of Content-Length',
      `${requestHead('POST', path, { 'content-length': 1 }).trimEnd()}\r\ncontent-length: 2\r\n\r\n{}`,
    ],
    [
      'Content-Length and chunks',
      `${requestHead('POST', path, { 'content-length': 2, 'transfer-encoding': 'chunked' })}0\r\n\r\n`,
    ],
    ['text that is not HTTP', 'nonsense\r\n\r\n'],
    ['a header with a NUL', 'GET /livez HTTP/1.1\r\nhost: localhost\r\nx: a\0b\r\n\r\n'],
  ]
  for (const [name, request] of requests) {
    test(`${name}: the response reveals no internals, and the service keeps running`, async () => {
      const { text: received } = await sendRaw(
        service.url,
        request.replace(/\r\n\r\n/, '\r\nconnection: close\r\n\r\n'),
      )
      expect(received).not.toMatch(internals)
      expect((await service.get('/livez')).status).toBe(200)
    })
  }
})

describe('a request that matches no operation', () => {
  const requests: [string, string, number, string | undefined][] = [
    ['GET', '/nothing', 404, undefined],
    ['GET', '/api/users/profile/', 404, undefined],
    ['GET', '/api/users/../users/profile', 404, undefined],
    ['GET', '/API/users/profile', 404, undefined],
    ['PUT', '/api/users/profile', 405, 'DELETE, GET, HEAD'],
    ['GET', path, 405, 'POST'],
    ['PUT', '/problems/not-found', 405, 'GET, HEAD'],
    ['POST', '/', 405, 'GET, HEAD'],
    ['GET', '/problems/__proto__', 404, undefined],
    ['GET', '/problems/constructor', 404, undefined],
    ['GET', '/swagger/__proto__', 404, undefined],
    ['GET', '/swagger/..%2fpackage.json', 404, undefined],
    ['GET', '/swagger/%2e%2e%2f%2e%2e%2fpackage.json', 404, undefined],
    ['GET', '/%00', 404, undefined],
    ['GET', '/%', 404, undefined],
    ['GET', '/problems/%', 404, undefined],
  ]
  for (const [method, target, status, allow] of requests) {
    test(`${method} ${target}`, async () => {
      const response = await sendRaw(service.url, requestHead(method, target, { connection: 'close' }))
      expect(response.status).toBe(status)
      expect(response.headers['content-type']).toBe('application/problem+json')
      expect(response.headers.allow).toBe(allow as string)
    })
  }
})
