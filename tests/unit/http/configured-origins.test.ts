import { describe, expect, test } from 'bun:test'
import { readConfig } from '../../../src/config.ts'
import { createOriginCheck, createRequestOriginCheck, originFault } from '../../../src/http/origins.ts'
import { connect } from '../support/chat-client.ts'
import { startService } from '../support/service.ts'

const check = (...allowed: string[]) => createOriginCheck({ allowed, development: false })

describe('an entry of CORS_ORIGINS is accepted', () => {
  const entries = [
    '*',
    'https://app.example.com',
    'https://app.example.com:8443',
    'http://localhost:5173',
    'http://[::1]:3000',
    'https://xn--mnchen-3ya.example',
    'https://*.example.com',
    'https://*.example.com:8443',
    'http://*.localhost:3000',
    'capacitor://localhost',
    'ionic://localhost',
    'tauri://localhost',
    'app://obsidian.md',
    'app://-',
    'app://.',
    'app.example://main',
    'chrome-extension://abcdefghijklmnopabcdefghijklmnop',
    'moz-extension://01234567-89ab-4cde-8f01-23456789abcd',
    'vscode-webview://0abc',
    'ionic://localhost:8080',
  ]
  for (const entry of entries) {
    test(entry, () => {
      expect(originFault(entry)).toBeUndefined()
      expect(readConfig({ CORS_ORIGINS: entry }, []).corsOrigins).toEqual([entry])
      if (!entry.includes('*')) expect(check(entry)(entry)).toBe(true)
    })
  }
})

describe('an entry of CORS_ORIGINS is refused by name, with the correct spelling', () => {
  const entries: [entry: string, fault: string][] = [
    ['https://app.example.com/', 'must be written https://app.example.com'],
    ['https://app.example.com/path', 'must be written https://app.example.com'],
    ['https://app.example.com?x', 'must be written https://app.example.com'],
    ['https://APP.example.com', 'must be written https://app.example.com'],
    ['HTTPS://app.example.com', 'must be written https://app.example.com'],
    ['https://app.example.com:443', 'must be written https://app.example.com'],
    ['https://*.Example.com/', 'must be written https://*.example.com'],
    ['https://*.example.com:443', 'must be written https://*.example.com'],
    ['https://münchen.example', 'must be written https://xn--mnchen-3ya.example'],
    ['capacitor://localhost/', 'must be written capacitor://localhost'],
    ['Capacitor://LocalHost', 'must be written capacitor://localhost'],
    ['null', 'is the origin of every sandboxed page and local file'],
    ['NULL', 'is the origin of every sandboxed page and local file'],
    ['file:///index.html', 'is not the origin of a page: file:// has none'],
    ['wss://app.example.com', 'is not the origin of a page: wss:// has none'],
    ['app.example.com', 'has no scheme, such as https://'],
    ['localhost:3000', 'has no scheme, such as https://'],
    ['*.example.com', 'has no scheme, such as https://'],
    ['https://', 'has no valid host'],
    ['https://a b', 'has no valid host'],
    ['https://x:99999', 'has no valid host'],
    ['capacitor://', 'has no valid host'],
  ]
  for (const [entry, fault] of entries) test(entry, () => expect(originFault(entry)).toBe(fault))

  const misplaced = [
    'https://*',
    'https://*.com',
    'https://*.1.2.3.4',
    'https://a.*.example.com',
    'https://*.*.example.com',
    'https://app*.example.com',
    'https://app.example.com:*',
    'capacitor://*',
    '*://app.example.com',
    'https://*.[::1]',
  ]
  for (const entry of misplaced) test(entry, () => expect(originFault(entry)).toMatch(/\*|scheme/))

  test('in the message of the configuration', () => {
    expect(() => readConfig({ CORS_ORIGINS: 'https://a.example, https://b.example/' }, [])).toThrow(
      'CORS_ORIGINS must list origins such as https://app.example.com, or *: https://b.example/ must be written https://b.example',
    )
  })
})

describe('https://*.example.com:8443', () => {
  const isAllowed = check('https://*.example.com:8443')
  for (const origin of [
    'https://a.example.com:8443',
    'https://a.b.c.example.com:8443',
    'https://xn--a-b.example.com:8443',
  ]) {
    test(`allows ${origin}`, () => expect(isAllowed(origin)).toBe(true))
  }
  const others = [
    'https://example.com:8443',
    'https://a.example.com',
    'http://a.example.com:8443',
    'https://a.example.com:84430',
    'https://aexample.com:8443',
    'https://.example.com:8443',
    'https://a..example.com:8443',
    'https://evil.example/.example.com:8443',
    'https://evil.example#.example.com:8443',
    'https://user@a.example.com:8443',
    'https://*.example.com:8443',
    'https://a.example.com:8443.evil.example',
    'https://a.exampleXcom:8443',
    'null',
    '',
  ]
  for (const origin of others) test(`does not allow ${origin}`, () => expect(isAllowed(origin)).toBe(false))
})

describe('a page of the host that the request names may connect', () => {
  const isAllowed = createRequestOriginCheck(check())
  /** A stub, because Request refuses to hold some of these values. */
  function request(origin: string, host: string): Request {
    const values = new Map([
      ['origin', origin],
      ['host', host],
    ])
    return { headers: { get: (name: string) => values.get(name) ?? null } } as unknown as Request
  }

  const same: [origin: string, host: string][] = [
    ['http://localhost:3000', 'localhost:3000'],
    ['https://app.example.com', 'app.example.com'],
    ['https://app.example.com', 'app.example.com:443'],
    ['http://app.example.com', 'app.example.com:80'],
    ['https://app.example.com:8443', 'app.example.com:8443'],
    ['https://app.example.com', 'APP.example.com'],
    ['http://[::1]:3000', '[0:0:0:0:0:0:0:1]:3000'],
  ]
  for (const [origin, host] of same) {
    test(`${origin} at ${host}`, () => expect(isAllowed(request(origin, host))).toBe(true))
  }
  const different: [origin: string, host: string][] = [
    ['https://app.example.com', 'app.example.com:8443'],
    ['https://app.example.com:8443', 'app.example.com'],
    ['https://app.example.com', 'app.example.com:80'],
    ['https://evil.example', 'app.example.com'],
    ['capacitor://localhost', 'localhost'],
    ['null', 'null'],
    ['http://a b', 'a b'],
    ['http://a', 'a/b'],
    ['http://a', 'b@a'],
    ['http://a', 'a?x'],
    ['http://a', ''],
    ['', ''],
    ['http://[::1', '[::1'],
  ]
  for (const [origin, host] of different) {
    test(`but not ${origin} at ${host}`, () => expect(isAllowed(request(origin, host))).toBe(false))
  }
})

test('an app and a subdomain read responses and connect, and another page does neither', async () => {
  await using service = await startService({ CORS_ORIGINS: 'capacitor://localhost, https://*.example.com' })
  const { token } = await service.account('someone')
  for (const origin of ['capacitor://localhost', 'https://a.example.com']) {
    const { headers } = await service.get('/livez', undefined, { origin })
    expect([headers.get('access-control-allow-origin'), headers.get('vary')]).toEqual([origin, 'Origin'])
    await (await connect(service.url, token, { headers: { origin } })).close()
  }
  for (const origin of ['capacitor://elsewhere', 'https://example.com']) {
    expect(
      (await service.get('/livez', undefined, { origin })).headers.has('access-control-allow-origin'),
    ).toBe(false)
    await expect(connect(service.url, token, { headers: { origin } })).rejects.toThrow()
  }
})
