import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { openapi } from '../../../src/contract/documents.ts'
import { exchange, head } from '../support/raw-http.ts'
import { bearer, outcome, type Service, startService } from '../support/service.ts'

const path = '/api/chats/send'
const mostBytes = openapi['x-limits']['request-body-bytes']

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

describe('a body that is no JSON in UTF-8 is malformed', () => {
  const bodies: [string, RequestInit['body']][] = [
    ['an empty one', ''],
    ['spaces', '   '],
    ['half an object', '{"message":"Hello'],
    ['two values', '{"message":"a"}{"message":"b"}'],
    ['a comma too many', '{"message":"a",}'],
    ['a comment', '{"message":"a"} // comment'],
    ['single quotes', "{'message':'a'}"],
    ['NaN', '{"message":NaN}'],
    ['undefined', 'undefined'],
    ['a form', 'message=Hello'],
    ['invalid UTF-8', bytes(...text('{"message":"'), 0xff, 0xfe, ...text('"}'))],
    ['an overlong slash', bytes(...text('{"message":"'), 0xc0, 0xaf, ...text('"}'))],
    ['a surrogate in UTF-8', bytes(...text('{"message":"'), 0xed, 0xa0, 0xb4, ...text('"}'))],
    ['UTF-16', new Uint8Array(Buffer.from('{"message":"a"}', 'utf16le'))],
    ['64 KiB of [', '['.repeat(mostBytes)],
    ['64 KiB of {"a":', '{"a":'.repeat(mostBytes / 5)],
    ['a bare control character in a string', '{"message":"a\u0001"}'],
  ]
  for (const [name, body] of bodies) {
    test(name, async () => expect(await outcome(send(body))).toEqual([400, 'malformed-json']))
  }
})

describe('a body that is JSON and no message breaks the schema', () => {
  const bodies: [string, string, string[]][] = [
    ['null', 'null', ['']],
    ['a number', '1', ['']],
    ['an array', '[{"message":"a"}]', ['']],
    ['an array deep within', `{"message":${'['.repeat(20_000)}${']'.repeat(20_000)}}`, ['/message']],
    ['__proto__', '{"message":"a","__proto__":{"admin":true}}', ['/__proto__']],
    ['constructor', '{"message":"a","constructor":{"prototype":{"admin":true}}}', ['/constructor']],
    ['the message behind __proto__', '{"__proto__":{"message":"a"}}', ['/message', '/__proto__']],
    ['the message under another case', '{"Message":"a"}', ['/message', '/Message']],
    ['a lone surrogate', '{"message":"\\ud834"}', ['/message']],
    ['4,097 characters of two units', `{"message":"${'𝄞'.repeat(4097)}"}`, ['/message']],
    ['a duplicate key, the last of which is wrong', '{"message":"a","message":1}', ['/message']],
    ['a key that has to be escaped', '{"message":"a","a/b~c":1}', ['/a~1b~0c']],
  ]
  for (const [name, body, pointers] of bodies) {
    test(name, async () => {
      const answer = await send(body)
      const { code, errors } = (await answer.json()) as { code: string; errors: { pointer: string }[] }
      expect([answer.status, code]).toEqual([422, 'validation-failed'])
      expect(errors.map(({ pointer }) => pointer).sort()).toEqual(pointers.toSorted())
    })
  }

  test('and nothing that was sent became a property of every object', () => {
    expect(({} as { admin?: boolean }).admin).toBeUndefined()
  })

  test('a thousand unknown properties get twenty errors', async () => {
    const body = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`p${i}`, i]))
    const { errors } = (await (await send(JSON.stringify(body))).json()) as { errors: unknown[] }
    expect(errors).toHaveLength(20)
  })
})

describe('a body that is taken', () => {
  const bodies: [string, RequestInit['body'], string][] = [
    ['4,096 characters of two units', `{"message":"${'𝄞'.repeat(4096)}"}`, '𝄞'.repeat(4096)],
    ['a duplicate key: the last one counts', '{"message":"first","message":"last"}', 'last'],
    ['after a byte order mark', bytes(0xef, 0xbb, 0xbf, ...text('{"message":"marked"}')), 'marked'],
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
    test(`${type} is taken`, async () => {
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
    test(`${type} is not`, async () => {
      expect(await outcome(send('{"message":"a"}', { 'content-type': type }))).toEqual([
        415,
        'unsupported-media-type',
      ])
    })
  }

  test('none is not', async () => {
    const answer = await exchange(
      service.url,
      head('POST', path, { ...bearer(token), 'content-length': 15 }),
      '{"message":"a"}',
    )
    expect([answer.status, JSON.parse(answer.body).code]).toEqual([415, 'unsupported-media-type'])
  })

  test('a content coding is not, so that no bomb is ever unpacked', async () => {
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

describe('64 KiB', () => {
  const ofLength = (length: number) => '{"message":"a"}'.padEnd(length, ' ')
  /** Chunks of about 8 KiB, and no Content-Length. */
  function chunked(length: number): (string | Uint8Array)[] {
    const body = ofLength(length)
    const chunks = body.match(/.{1,8000}/gs) ?? []
    const heading = head('POST', path, {
      ...bearer(token),
      'content-type': 'application/json',
      'transfer-encoding': 'chunked',
    })
    return [heading, ...chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`), '0\r\n\r\n']
  }

  test('exactly, declared, is taken', async () => {
    expect((await send(ofLength(mostBytes))).status).toBe(200)
  })
  test('and one more, declared, is too large', async () => {
    expect(await outcome(send(ofLength(mostBytes + 1)))).toEqual([413, 'content-too-large'])
  })
  test('exactly, in chunks, is taken', async () => {
    expect((await exchange(service.url, ...chunked(mostBytes))).status).toBe(200)
  })
  test('and one more, in chunks, is too large', async () => {
    const answer = await exchange(service.url, ...chunked(mostBytes + 1))
    expect([answer.status, JSON.parse(answer.body).code]).toEqual([413, 'content-too-large'])
  })
  test('a length beyond all measure is refused before the body comes', async () => {
    for (const length of ['1000000000000', '9007199254740991']) {
      const heading = head('POST', path, {
        ...bearer(token),
        'content-type': 'application/json',
        'content-length': length,
      })
      const answer = await exchange(service.url, heading, '{"message":')
      expect([answer.status, JSON.parse(answer.body).code]).toEqual([413, 'content-too-large'])
    }
  })
  test('and the service goes on', async () => {
    expect((await send('{"message":"a"}')).status).toBe(200)
  })
})

describe('a head that no handler sees', () => {
  const secretive = /src\/|node_modules|\.ts|at \w+ \(|Error:|SELECT/

  const requests: [string, string][] = [
    ['a header too large', head('GET', '/livez', { 'x-large': 'a'.repeat(100_000) })],
    [
      'a thousand headers',
      head('GET', '/livez', Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`x-${i}`, 'a']))),
    ],
    ['a path too long', head('GET', `/${'a'.repeat(100_000)}`, {})],
    [
      'a length that is no number',
      head('POST', path, { 'content-length': 'x', 'content-type': 'application/json' }),
    ],
    [
      'two lengths',
      `${head('POST', path, { 'content-length': 1 }).trimEnd()}\r\ncontent-length: 2\r\n\r\n{}`,
    ],
    [
      'a length and chunks',
      `${head('POST', path, { 'content-length': 2, 'transfer-encoding': 'chunked' })}0\r\n\r\n`,
    ],
    ['no HTTP at all', 'nonsense\r\n\r\n'],
    ['a header with a NUL', 'GET /livez HTTP/1.1\r\nhost: localhost\r\nx: a\0b\r\n\r\n'],
  ]
  for (const [name, request] of requests) {
    test(`${name}: refused or answered, and nothing told`, async () => {
      const { text: answered } = await exchange(
        service.url,
        request.replace(/\r\n\r\n/, '\r\nconnection: close\r\n\r\n'),
      )
      expect(answered).not.toMatch(secretive)
      expect((await service.get('/livez')).status).toBe(200)
    })
  }
})

describe('what matches no operation', () => {
  const requests: [string, string, number, string | undefined][] = [
    ['GET', '/nothing', 404, undefined],
    ['GET', '/api/users/profile/', 404, undefined],
    ['GET', '/api/users/../users/profile', 404, undefined],
    ['GET', '/API/users/profile', 404, undefined],
    ['DELETE', '/api/users/profile', 405, 'GET, HEAD'],
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
      const answer = await exchange(service.url, head(method, target, { connection: 'close' }))
      expect(answer.status).toBe(status)
      expect(answer.headers['content-type']).toBe('application/problem+json')
      expect(answer.headers.allow).toBe(allow as string)
    })
  }
})
