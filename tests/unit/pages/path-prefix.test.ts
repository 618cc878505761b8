import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createServer, request as forward, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { linkFrom } from '../../../src/pages/html.ts'
import { type Service, startService } from '../support/service.ts'

const prefix = '/apis/chat'

let service: Service
let proxy: Server
let base: string
/** Paths outside the prefix that have been requested. */
const strays: string[] = []

/** A proxy that publishes the service under a path prefix, and nothing else. */
beforeAll(async () => {
  service = await startService()
  const { port } = new URL(service.url)
  proxy = createServer((incoming, outgoing) => {
    const { url = '', method, headers } = incoming
    if (!url.startsWith(`${prefix}/`)) {
      strays.push(url)
      outgoing.writeHead(404).end()
      return
    }
    const path = url.slice(prefix.length)
    incoming.pipe(
      forward({ host: '127.0.0.1', port, path, method, headers }, (response) => {
        outgoing.writeHead(response.statusCode ?? 500, response.headers)
        response.pipe(outgoing)
      }),
    )
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}${prefix}/`
})
afterAll(async () => {
  proxy.closeAllConnections()
  await new Promise((resolve) => proxy.close(resolve))
  await service[Symbol.asyncDispose]()
})

/** The addresses that a page names in its elements, and the document that the Swagger page loads. */
async function linksOf(page: Response): Promise<string[]> {
  const links: string[] = []
  const text = await page.text()
  const collect = (attribute: string) => ({
    element(element: HTMLRewriterTypes.Element) {
      links.push(element.getAttribute(attribute) as string)
    },
  })
  new HTMLRewriter().on('[href]', collect('href')).on('[src]', collect('src')).transform(text)
  const document = /"url":"([^"]+)"/.exec(text)?.[1]
  return document === undefined ? links : [...links, document]
}

test('every link on every page leads to a page, also under a path prefix', async () => {
  const visited = new Set<string>()
  const waiting = [base]
  for (let url = waiting.pop(); url !== undefined; url = waiting.pop()) {
    if (visited.has(url)) continue
    visited.add(url)
    const response = await fetch(url, { headers: { accept: 'text/html' } })
    expect([url, response.status]).toEqual([url, 200])
    if (!response.headers.get('content-type')?.startsWith('text/html')) continue
    for (const link of await linksOf(response)) {
      if (!/^https:/.test(link)) waiting.push(new URL(link, url).href)
    }
  }
  expect(strays).toEqual([])
  const paths = [...visited].map((url) => url.slice(base.length))
  for (const path of [
    'swagger',
    'openapi.json',
    'openapi.yaml',
    'problems',
    'problems/not-found',
    'swagger/swagger-ui-bundle.js',
    'swagger/swagger-client.js',
    'livez',
  ]) {
    expect(paths).toContain(path)
  }
})

describe('the Swagger page sends requests to the address under which it was opened', () => {
  const client = Bun.file(new URL('../../../src/pages/swagger-client.js', import.meta.url))

  /** The servers that the page offers at an address. */
  async function serversAt(href: string): Promise<string[]> {
    let options:
      | {
          plugins: (() => {
            statePlugins: {
              spec: {
                wrapActions: Record<
                  string,
                  (update: unknown) => (document: unknown) => { servers: { url: string }[] }
                >
              }
            }
          })[]
        }
      | undefined
    const window = {
      SwaggerUIBundle: (given: never) => {
        options = given
      },
    }
    new Function('window', 'location', await client.text())(window, new URL(href))
    window.SwaggerUIBundle({} as never)
    const update = options?.plugins[0]?.().statePlugins.spec.wrapActions.updateJsonSpec
    const document = update?.((each: unknown) => each)({ servers: [{ url: 'http://localhost:3000' }] })
    return document?.servers.map(({ url }) => url) ?? []
  }

  test('with a prefix', async () => {
    expect(await serversAt('https://a.example/apis/chat/swagger?x#y')).toEqual([
      'https://a.example/apis/chat',
      'http://localhost:3000',
    ])
  })
  test('without one', async () => {
    expect(await serversAt('http://localhost:3000/swagger')).toEqual(['http://localhost:3000'])
  })
})

test('links are relative to the page', () => {
  expect([
    linkFrom('/', '/problems'),
    linkFrom('/problems', '/problems/not-found'),
    linkFrom('/problems/not-found', '/problems'),
    linkFrom('/swagger', '/openapi.json'),
  ]).toEqual(['problems', 'problems/not-found', '../problems', 'openapi.json'])
})
