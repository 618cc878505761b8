import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { startChild } from '../support/child.ts'
import { failedLines, largeQuotas, type RawResponse, requestText, sendRaw } from '../support/raw-responses.ts'
import { type Service, startService, temporaryFolder } from '../support/service.ts'

/** A random request, which the parser may take for an incomplete one, is given up after this time. */
const quietMs = 100

/** Bun's parser refuses malformed HTTP itself, with an empty response. */
const isFromParser = ({ status, headers, body }: RawResponse) =>
  [400, 413, 414, 417, 431, 505].includes(status) && body === '' && !headers.has('x-request-id')

let service: Service
let token: string

beforeAll(async () => {
  service = await startService(largeQuotas)
  token = (await service.account('someone')).token
})
afterAll(() => service[Symbol.asyncDispose]())

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
  expect(failedLines(service)).toEqual([])
})
