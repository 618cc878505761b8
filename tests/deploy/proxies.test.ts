import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { request } from 'node:https'
import { type Chat, createClient, type WebSocketConstructor } from '../../client/src/index.ts'
import { closeAfterSeconds } from '../../src/contract/frames.ts'
import { idleTimeoutSeconds } from '../../src/server.ts'
import { startChild } from '../unit/support/child.ts'
import { temporaryFolder } from '../unit/support/service.ts'
import { hasProgram } from './support/programs.ts'
import { type DeployedProxy, deployFile, startCaddy, startNginx } from './support/proxies.ts'

const proxies = [
  { name: 'nginx', program: 'nginx', start: startNginx, file: 'nginx.conf', prefix: '' },
  {
    name: 'nginx with a path prefix',
    program: 'nginx',
    start: startNginx,
    file: 'nginx-path-prefix.conf',
    prefix: '/chat',
  },
  { name: 'Caddy', program: 'caddy', start: startCaddy, file: 'Caddyfile', prefix: '' },
  {
    name: 'Caddy with a path prefix',
    program: 'caddy',
    start: startCaddy,
    file: 'path-prefix.Caddyfile',
    prefix: '/chat',
  },
] as const

const password = 'correct horse battery staple'
/** Logins of one address in ten minutes. The quotas of the other operations are the documented ones. */
const loginQuota = 4

interface Caller {
  /** The address of the caller. All addresses of 127.0.0.0/8 belong to this machine. */
  readonly from: string
  readonly headers?: Record<string, string>
}

const installed = proxies.filter(({ program }) => hasProgram(program))

describe.each(installed)('$name', ({ start, file, prefix }) => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>
  let service: Awaited<ReturnType<typeof startChild>>
  let proxy: DeployedProxy

  beforeAll(async () => {
    folder = await temporaryFolder()
    // The settings that the file names, and a quota that a test can exhaust.
    const [settings = ''] = /(?<=Settings of Parley: ).*/.exec(await deployFile(file)) ?? []
    const environment = Object.fromEntries(settings.split(' ').map((each) => each.split('=')))
    service = await startChild({
      environment: {
        ...environment,
        PORT: '0',
        DATA_DIR: folder.path,
        DRAIN_SECONDS: '0',
        RATE_LIMIT_LOGIN: `${loginQuota}/600`,
      },
    })
    proxy = await start({ file, prefix, upstream: Number(new URL(service.url).port) })
  })
  afterAll(async () => {
    await proxy?.[Symbol.asyncDispose]()
    await service?.[Symbol.asyncDispose]()
    await folder?.[Symbol.asyncDispose]()
  })

  /** Sends a request from one of the addresses of this machine. */
  function call(method: string, path: string, { from, headers }: Caller, body?: object): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    const sent = request(
      proxy.url + path,
      {
        method,
        localAddress: from,
        ca: proxy.ca,
        headers: { 'content-type': 'application/json', ...headers },
      },
      (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      },
    )
    sent.on('upgrade', (response, socket) => {
      socket.destroy()
      resolve(response.statusCode ?? 0)
    })
    sent.on('error', reject)
    sent.end(body && JSON.stringify(body))
    return promise
  }

  const failedLogin = (caller: Caller) =>
    call('POST', '/api/auth/login', caller, { username: `u${crypto.randomUUID().slice(0, 8)}`, password })

  /** The client as applications use it; only the certificate authority is added. */
  function newClient() {
    const tls = { ca: proxy.ca }
    class TrustingSocket extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, { protocols, tls } as unknown as string[])
      }
    }
    return createClient(proxy.url, {
      fetch: (url, init) => fetch(url, { ...init, tls }),
      WebSocket: TrustingSocket as unknown as WebSocketConstructor,
    })
  }

  /** The texts that the chat receives from now on. */
  function receive(chat: Chat) {
    const texts: string[] = []
    chat.on('message', ({ message }) => texts.push(message))
    return async (count: number) => {
      while (texts.length < count) await Bun.sleep(5)
      return texts
    }
  }

  test('a client registers, logs in, sends, receives, and resumes after the proxy was restarted', async () => {
    const [anna, bert] = [newClient(), newClient()]
    for (const [client, username] of [
      [anna, 'anna'],
      [bert, 'bert'],
    ] as const) {
      await client.registerUser({ username, password })
      await client.loginUser({ username, password })
    }
    await using chat = bert.chat({ from: 'beginning', firstDelayMs: 20, maxDelayMs: 50 })
    const received = receive(chat)
    await chat.opened()
    await anna.sendMessage({ message: 'one' })
    const sending = anna.chat()
    await sending.send('two')
    await sending.close()
    expect(await received(2)).toEqual(['one', 'two'])

    const closed = Promise.withResolvers<void>()
    chat.on('state', ({ name }) => name === 'waiting' && closed.resolve())
    await proxy.restart()
    await closed.promise
    await anna.sendMessage({ message: 'three' })
    expect(await received(3)).toEqual(['one', 'two', 'three'])

    await using later = bert.chat({ from: { after: chat.cursor as string } })
    const receivedLater = receive(later)
    await anna.sendMessage({ message: 'four' })
    expect(await receivedLater(1)).toEqual(['four'])
  })

  test('a page of the same host can open a WebSocket, and a page of another host cannot', async () => {
    const client = newClient()
    await client.registerUser({ username: 'carl', password })
    await client.loginUser({ username: 'carl', password })
    const handshake = (origin: string) => {
      const headers = {
        origin,
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-protocol': `parley.v1, bearer.${client.token}`,
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      }
      return call('GET', '/', { from: '127.0.0.1', headers })
    }
    expect(await handshake(new URL(proxy.url).origin)).toBe(101)
    expect(await handshake('https://localhost:1')).toBe(403)
  })

  test("the rate limits count the client's own address, whatever X-Forwarded-For it sends", async () => {
    const first = { from: '127.0.0.7' }
    for (let count = 0; count < loginQuota; count++) expect(await failedLogin(first)).toBe(401)
    expect(await failedLogin(first)).toBe(429)
    expect(await failedLogin({ ...first, headers: { 'x-forwarded-for': '203.0.113.9' } })).toBe(429)
    expect(await failedLogin({ ...first, headers: { 'x-forwarded-for': '203.0.113.9, 127.0.0.1' } })).toBe(
      429,
    )
    expect(await failedLogin({ from: '127.0.0.8' })).toBe(401)
  })

  test('the landing page and its links work', async () => {
    const get = (path: string) => fetch(proxy.url + path, { tls: { ca: proxy.ca } })
    const page = await get('/')
    expect(page.status).toBe(200)
    const links = [...(await page.text()).matchAll(/(?:href|src)="([^":#]+)"/g)].map(
      ([, href]) => href as string,
    )
    expect(links).toContain('swagger')
    for (const link of links) {
      const response = await fetch(new URL(link, `${proxy.url}/`), { tls: { ca: proxy.ca } })
      expect([link, response.status]).toEqual([link, 200])
    }
    expect((await get('/readyz')).status).toBe(200)
    if (prefix === '') return
    // Without the slash at the end, the relative links would lead out of the prefix.
    const redirected = await get('')
    expect([redirected.status, redirected.url]).toEqual([200, `${proxy.url}/`])
  })

  test('plain HTTP is redirected to HTTPS', async () => {
    if (proxy.redirectPort === undefined) return
    const response = await fetch(`http://localhost:${proxy.redirectPort}/swagger?a=b`, { redirect: 'manual' })
    expect(response.status).toBe(308)
    expect(response.headers.get('location')).toStartWith('https://localhost')
    expect(response.headers.get('location')).toEndWith('/swagger?a=b')
  })
})

const seconds = (text: string, directive: string) =>
  Number(new RegExp(`^\\s*${directive} (\\d+)s;?$`, 'm').exec(text)?.[1] ?? Number.NaN)

test.each(['nginx.conf', 'nginx-path-prefix.conf'])(
  '%s waits longer than the liveness check',
  async (file) => {
    const text = await deployFile(file)
    expect(seconds(text, 'proxy_read_timeout')).toBeGreaterThan(closeAfterSeconds)
    expect(seconds(text, 'proxy_send_timeout')).toBeGreaterThan(closeAfterSeconds)
  },
)

test.each([
  ['nginx.conf', 'keepalive_timeout'],
  ['nginx-path-prefix.conf', 'keepalive_timeout'],
  ['Caddyfile', 'keepalive'],
  ['path-prefix.Caddyfile', 'keepalive'],
])('%s closes idle connections before the service does', async (file, directive) => {
  expect(seconds(await deployFile(file), directive)).toBeLessThan(idleTimeoutSeconds)
})
