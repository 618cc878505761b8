import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { acceptsEncoding } from '../../../src/http/accept.ts'
import { type Service, startService } from '../support/service.ts'

let service: Service

beforeAll(async () => {
  service = await startService({ CORS_ORIGINS: 'https://app.example.com' })
})
afterAll(() => service[Symbol.asyncDispose]())

/** A response as it is sent: `decompress: false` keeps its content coding. */
const request = (path: string, headers: Record<string, string> = {}) =>
  fetch(service.url + path, { headers: { 'accept-encoding': 'identity', ...headers }, decompress: false })

const bundle = '/swagger/swagger-ui-bundle.js'

test.each([bundle, '/swagger', '/openapi.json', '/openapi.yaml', '/guides/realtime'])(
  '%s is compressed for a client that accepts it',
  async (path) => {
    const plain = await request(path)
    const zipped = await request(path, { 'accept-encoding': 'gzip, deflate, br' })
    expect(plain.headers.get('content-encoding')).toBeNull()
    expect(zipped.headers.get('content-encoding')).toBe('gzip')
    expect(zipped.headers.get('vary')).toContain('Accept-Encoding')
    expect(plain.headers.get('vary')).toContain('Accept-Encoding')
    const [text, compressed] = [await plain.text(), new Uint8Array(await zipped.arrayBuffer())]
    expect(compressed.length).toBeLessThan(text.length / 2)
    expect(new TextDecoder().decode(Bun.gunzipSync(compressed))).toBe(text)
  },
)

test('an image is not compressed again', async () => {
  const icon = await request('/swagger/favicon-32x32.png', { 'accept-encoding': 'gzip' })
  expect(icon.headers.get('content-encoding')).toBeNull()
})

test('each representation has its own entity tag, and none is sent again to a client that has it', async () => {
  const [plain, zipped] = await Promise.all([request(bundle), request(bundle, { 'accept-encoding': 'gzip' })])
  const tags = [plain, zipped].map((response) => response.headers.get('etag') as string)
  expect(new Set(tags).size).toBe(2)
  const known = await request(bundle, { 'accept-encoding': 'gzip', 'if-none-match': tags[1] as string })
  expect([known.status, await known.text()]).toEqual([304, ''])
  const unknown = await request(bundle, { 'accept-encoding': 'gzip', 'if-none-match': tags[0] as string })
  expect(unknown.status).toBe(200)
})

test('a browser shows the YAML of a document, and a program receives its media type', async () => {
  const browser = await request('/openapi.yaml', { accept: 'text/html,application/xml;q=0.9,*/*;q=0.8' })
  const program = await request('/openapi.yaml')
  expect(browser.headers.get('content-type')).toBe('text/plain; charset=utf-8')
  expect(program.headers.get('content-type')).toBe('application/yaml')
  expect(program.headers.get('vary')?.split(', ')).toEqual(['Accept', 'Accept-Encoding', 'Origin'])
  expect(await browser.text()).toBe(await program.text())
  expect(browser.headers.get('etag')).not.toBe(program.headers.get('etag'))
})

test('an unknown guide does not exist', async () => {
  for (const path of ['/guides/unknown', '/guides/__proto__', '/guides/..%2fREADME']) {
    expect([path, (await request(path)).status]).toEqual([path, 404])
  }
})

describe('a content coding is accepted by the weight of its name, or else by that of *', () => {
  const cases: [acceptEncoding: string | undefined, accepted: boolean][] = [
    [undefined, false],
    ['', false],
    ['identity', false],
    ['gzip', true],
    ['GZIP', true],
    ['br, gzip', true],
    ['gzip;q=0', false],
    ['gzip;q=0.000', false],
    ['gzip ; q=0.001', true],
    ['br;q=1.0, *;q=0.5', true],
    ['*;q=0', false],
    ['gzip;q=0, *', false],
    ['x-gzip', false],
  ]
  for (const [value, accepted] of cases) {
    test(String(value), () => {
      const headers: Record<string, string> = value === undefined ? {} : { 'accept-encoding': value }
      expect(acceptsEncoding(new Request('http://localhost', { headers }), 'gzip')).toBe(accepted)
    })
  }
})
