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
      if (!/^https:/.test(link)) waiting.push(new URL(link, url).href.replace(/#.*/, ''))
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
    'swagger/swagger-page.css',
    'websocket',
    'guides/realtime',
    'guides/client',
    'guides/client-receiving',
    'guides/versioning',
    'livez',
  ]) {
    expect(paths).toContain(path)
  }
})

describe('the Swagger page sends requests to the address under which it was opened', () => {
  const client = Bun.file(new URL('../../../src/pages/swagger-client.js', import.meta.url))

  interface SwaggerOptions {
    plugins: (() => {
      statePlugins: {
        spec: { wrapActions: Record<string, (action: unknown) => (document: unknown) => unknown> }
      }
    })[]
  }

  /** The document that the page shows at an address. */
  async function documentAt(href: string, document: object): Promise<Record<string, unknown>> {
    let options: SwaggerOptions | undefined
    const darkMode = { matches: false, addEventListener() {} }
    const window = {
      SwaggerUIBundle: (given: never) => {
        options = given
      },
      matchMedia: () => darkMode,
      document: { documentElement: { classList: { toggle() {} } } },
    }
    new Function('window', 'location', await client.text())(window, new URL(href))
    window.SwaggerUIBundle({} as never)
    const update = options?.plugins[0]?.().statePlugins.spec.wrapActions.updateJsonSpec
    return update?.((each: unknown) => each)(document) as Record<string, unknown>
  }

  const servers = [{ url: 'https://api.example.com' }]

  test('with a prefix', async () => {
    expect((await documentAt('https://a.example/apis/chat/swagger?x#y', { servers })).servers).toEqual([
      { url: 'https://a.example/apis/chat', description: 'This server' },
    ])
  })
  test('without one', async () => {
    expect((await documentAt('http://localhost:3000/swagger', { servers })).servers).toEqual([
      { url: 'http://localhost:3000', description: 'This server' },
    ])
  })

  test('and leads to the pages of that address', async () => {
    const info = {
      title: 'A title',
      description: 'The [WebSocket](/websocket) and [a site](https://b.example/).',
    }
    expect((await documentAt('https://a.example/apis/chat/swagger', { info })).info).toEqual({
      title: 'A title',
      description: 'The [WebSocket](https://a.example/apis/chat/websocket) and [a site](https://b.example/).',
    })
  })

  test('and fills in neither optional parameters nor a username that another reader has registered', async () => {
    const example = (username: string) => ({ value: { username, password: 'a password' } })
    const content = (username: string) => ({
      'application/json': { examples: { documented: example(username) } },
    })
    const document = {
      paths: { '/register': { post: { requestBody: { content: content('ann') } } } },
      components: {
        parameters: {
          Key: { name: 'Key', description: 'A key.', example: '"k"' },
          Id: { name: 'Id', required: true, example: 'i' },
        },
      },
    }
    expect(await documentAt('http://localhost:3000/swagger', document)).toMatchObject({
      paths: {
        '/register': {
          post: { requestBody: { content: content(expect.stringMatching(/^ann-[a-z0-9]+$/)) } },
        },
      },
      components: {
        parameters: {
          Key: { name: 'Key', description: 'A key.\n\nExample: `"k"`' },
          Id: { example: 'i' },
        },
      },
    })
  })
})

test('links are relative to the page', () => {
  expect([
    linkFrom('/', '/problems'),
    linkFrom('/problems', '/problems/not-found'),
    linkFrom('/problems/not-found', '/problems'),
    linkFrom('/swagger', '/openapi.json'),
    linkFrom('/problems/not-found', '/'),
    linkFrom('/problems', '/'),
  ]).toEqual(['problems', 'problems/not-found', '../problems', 'openapi.json', '../', './'])
})
