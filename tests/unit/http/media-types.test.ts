import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { prefersHtml } from '../../../src/http/accept.ts'
import { parseMediaType, splitList } from '../../../src/http/field-values.ts'
import { requestHead, sendRaw } from '../support/raw-http.ts'
import { bearer, type Service, startService } from '../support/service.ts'

let service: Service
let token: string

beforeAll(async () => {
  service = await startService()
  token = (await service.account('sender')).token
})
afterAll(() => service[Symbol.asyncDispose]())

const body = '{"message":"a"}'

/** The status of a message that is sent with these headers, unchanged. */
async function statusWith(headers: Readonly<Record<string, string>>): Promise<number> {
  const heading = requestHead('POST', '/api/chats/send', {
    ...bearer(token),
    'content-length': body.length,
    ...headers,
  })
  return (await sendRaw(service.url, heading, body)).status
}

describe('a body is JSON in UTF-8 in every notation of its Content-Type', () => {
  const types = [
    'application/json',
    'APPLICATION/JSON',
    'application/json;',
    'application/json ; ',
    'application/json;;',
    'application/json; ;charset=utf-8;',
    'application/json;charset=UTF-8',
    'application/json ;\tcharset="utf-8"',
    'application/json; charset="u\\tf-8"',
    'application/json; charset=utf8',
    'application/json; Charset=utf-8; charset=UTF-8',
    'application/json; version=1',
    'application/json; profile="https://a.example/b;c=\\"d\\""; charset=utf-8',
    'application/json; profile=""',
  ]
  for (const type of types)
    test(type, async () => expect(await statusWith({ 'content-type': type })).toBe(200))
})

describe('a body has another type, or a malformed one', () => {
  const types = [
    'application/json; charset="utf-8',
    'application/json; charset=utf-8"',
    'application/json; charset=',
    'application/json; charset',
    'application/json; charset = utf-8',
    'application/json; =utf-8',
    'application/json; charset=utf-8; charset=iso-8859-1',
    'application/json; charset=utf-16',
    'application/json; charset="utf-8" x',
    'application/json charset=utf-8',
    'application/json, application/json',
    'application /json',
    'application/',
    '/json',
    'json',
    '; charset=utf-8',
    'application/json; a="\\',
    'application/json/x',
    `application/json; a="${'\\'.repeat(999)}`,
    `application/json${'; '.repeat(2000)}x`,
  ]
  for (const type of types) {
    test(type.slice(0, 60), async () => expect(await statusWith({ 'content-type': type })).toBe(415))
  }
})

test('identity is no content coding, in every notation', async () => {
  const type = { 'content-type': 'application/json' }
  for (const coding of ['identity', 'Identity', ' identity ', 'Identity, identity', ',identity,', '']) {
    expect([coding, await statusWith({ ...type, 'content-encoding': coding })]).toEqual([coding, 200])
  }
  for (const coding of ['gzip', 'identity, gzip', 'identity;q=1', '"identity"', '*']) {
    expect([coding, await statusWith({ ...type, 'content-encoding': coding })]).toEqual([coding, 415])
  }
})

test('a media type has its parameters in order, unquoted', () => {
  expect(parseMediaType('Text/HTML; A=b;c="d\\"\\\\;e" ;; f="";A=2')).toEqual({
    type: 'text/html',
    parameters: [
      ['a', 'b'],
      ['c', 'd"\\;e'],
      ['f', ''],
      ['a', '2'],
    ],
  })
})

test('a comma in a quoted string does not divide a list', () => {
  expect(splitList('a;b="c,d\\",e", ,f,')).toEqual(['a;b="c,d\\",e"', 'f'])
})

describe('HTML is for clients that prefer it', () => {
  const html = [
    'text/html',
    'TEXT/HTML',
    'text/html;level="1,2"',
    'text/*',
    'text/html, */*',
    'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'application/json;q=0.5, text/html;q=0.6',
    'application/json;q=0, */*',
    'text/html;q=0.001',
  ]
  const json = [
    undefined,
    '',
    '*/*',
    'application/json',
    'text/html;q=0',
    'text/html;q=0.0, */*',
    'text/*, text/html;q=0',
    'text/html, application/json',
    'application/json, text/plain, */*',
    'application/json, text/html;q=0.9',
    'text/html-sandboxed',
    'application/xhtml+xml; x="text/html"',
    'image/png',
    ';,;"',
  ]
  for (const [accepts, values] of [
    [true, html],
    [false, json],
  ] as const) {
    for (const accept of values) {
      test(`${accepts ? '' : 'not '}${accept}`, async () => {
        const headers = accept === undefined ? {} : { accept }
        expect(prefersHtml(new Request('http://localhost', { headers }))).toBe(accepts)
      })
    }
  }

  test('of every problem page', async () => {
    for (const path of ['/problems', '/problems/not-found']) {
      for (const [accept, type] of [
        ['text/html;q=0, */*', 'application/json;charset=utf-8'],
        ['text/*', 'text/html; charset=utf-8'],
      ] as const) {
        expect((await service.get(path, undefined, { accept })).headers.get('content-type')).toBe(type)
      }
    }
  })
})
