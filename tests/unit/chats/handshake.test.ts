import { describe, expect, test } from 'bun:test'
import { createTokens } from '../../../src/auth/tokens.ts'
import { refusedHandshake, requestHead, sendRaw, handshakeHeaders as valid } from '../support/raw-http.ts'
import { bearer, keys, type Service, startService } from '../support/service.ts'

/** Sends a handshake and returns the status, and the problem code if it was refused. */
async function shake(service: Service, headers: Record<string, string>) {
  const response = await sendRaw(service.url, requestHead('GET', '/', headers))
  const { status, body } = response
  return { ...response, code: status === 101 ? undefined : JSON.parse(body).code }
}

const without = (name: keyof typeof valid) =>
  Object.fromEntries(Object.entries(valid).filter(([key]) => key !== name))

const malformed: [string, Record<string, string>][] = [
  ['no key', without('sec-websocket-key')],
  ['a key that is too short', { ...valid, 'sec-websocket-key': 'c2hvcnQ=' }],
  ['a key that is too long', { ...valid, 'sec-websocket-key': `${'A'.repeat(24)}==` }],
  ['a key that is not base64', { ...valid, 'sec-websocket-key': '!'.repeat(22).concat('==') }],
  ['an empty key', { ...valid, 'sec-websocket-key': '' }],
  ['a Connection header without upgrade', { ...valid, connection: 'keep-alive' }],
  ['no Upgrade header', without('upgrade')],
  ['an upgrade to another protocol', { ...valid, upgrade: 'h2c' }],
]

for (const [name, headers] of malformed) {
  for (const authenticated of [true, false]) {
    test(`a handshake with ${name} is 400, ${authenticated ? 'with' : 'without'} a token`, async () => {
      await using service = await startService({ RATE_LIMITS: 'on' })
      const { token } = await service.account('someone')
      const response = await shake(service, { ...headers, ...(authenticated && bearer(token)) })
      expect([response.status, response.code]).toEqual([400, 'malformed-handshake'])
      expect(JSON.parse(response.body).requestId).toBe(response.headers['x-request-id'])
      expect(response.headers.ratelimit).toMatch(/^"connect";/)
    })
  }
}

test.each(['8', '12', '14', '', 'thirteen', '13, 8'])(
  'WebSocket version %p is 426 and names 13',
  async (version) => {
    await using service = await startService()
    const { token } = await service.account('someone')
    const response = await shake(service, { ...valid, ...bearer(token), 'sec-websocket-version': version })
    expect([response.status, response.code]).toEqual([426, 'unsupported-websocket-version'])
    expect(response.headers['sec-websocket-version']).toBe('13')
  },
)

test.each([
  { upgrade: 'h2c, websocket' },
  { upgrade: 'WebSocket' },
  { connection: 'keep-alive, Upgrade' },
  { connection: 'UPGRADE' },
])('a handshake with %p is upgraded', async (headers) => {
  await using service = await startService()
  const { token } = await service.account('someone')
  const head = requestHead('GET', '/', { ...valid, ...bearer(token), ...headers })
  const { Socket } = await import('node:net')
  const socket = new Socket()
  const { hostname, port } = new URL(service.url)
  const text = await new Promise<string>((resolve) => {
    socket.once('data', (chunk: Buffer) => resolve(chunk.toString('latin1')))
    socket.connect(Number(port), hostname, () => socket.write(head))
  })
  socket.destroy()
  expect(text).toStartWith('HTTP/1.1 101 ')
})

test('a connection with a valid token is counted by user, any other by address', async () => {
  await using service = await startService({ RATE_LIMITS: 'on', RATE_LIMIT_CONNECT: '2/60' })
  const accounts = await Promise.all(['user-a', 'user-b', 'user-c'].map((name) => service.account(name)))
  const attempt = async (token: string) =>
    (await refusedHandshake(service.url, { ...bearer(token), 'sec-websocket-protocol': 'parley.v9' })).status
  // Three users behind one address have a quota each.
  for (const { token } of accounts) expect([await attempt(token), await attempt(token)]).toEqual([400, 400])
  for (const { token } of accounts) expect(await attempt(token)).toBe(429)
  const invalid = [await attempt('a.b.c'), await attempt('a.b.c'), await attempt('a.b.c')]
  expect(invalid).toEqual([401, 401, 429])
})

describe('a page that offers parley.refusals reads why its handshake was refused', () => {
  /** Opens a WebSocket with the protocols of a page, and returns its close event. */
  const closeOf = (service: Service, protocols: string[], path = '/', origin?: string) =>
    new Promise<{ code: number; reason: string; opened: boolean; protocol: string }>((resolve) => {
      const socket = new WebSocket(service.url.replace('http', 'ws') + path, {
        protocols,
        ...(origin !== undefined && { headers: { origin } }),
      } as never)
      let opened = false
      socket.onopen = () => {
        opened = true
      }
      socket.onclose = ({ code, reason }) => resolve({ code, reason, opened, protocol: socket.protocol })
    })

  const refused = (code: number, reason: string) => ({
    code,
    reason,
    opened: true,
    protocol: 'parley.refusals',
  })

  test('without a token, with an invalid one and with an expired one: 3000', async () => {
    await using service = await startService()
    const { user } = await service.account('someone')
    const tokens = createTokens({ keys, ttlSeconds: -1 })
    const expired = (await tokens.issue({ user, tokensValidFrom: 0 })).token
    expect(await closeOf(service, ['parley.v1', 'parley.refusals'])).toEqual(refused(3000, 'missing-token'))
    for (const token of ['a.b.c', expired]) {
      const protocols = ['parley.v1', 'parley.refusals', `bearer.${token}`]
      expect(await closeOf(service, protocols)).toEqual(refused(3000, 'invalid-token'))
    }
  })

  test('from another origin: 3003', async () => {
    await using service = await startService()
    const { token } = await service.account('someone')
    const protocols = ['parley.v1', 'parley.refusals', `bearer.${token}`]
    expect(await closeOf(service, protocols, '/', 'https://evil.example')).toEqual(
      refused(3003, 'origin-not-allowed'),
    )
  })

  test('too many sockets, or too many attempts: 1013', async () => {
    await using service = await startService({
      MAX_SOCKETS_PER_USER: '1',
      RATE_LIMITS: 'on',
      RATE_LIMIT_CONNECT: '3/60',
    })
    const { token } = await service.account('someone')
    const protocols = ['parley.v1', 'parley.refusals', `bearer.${token}`]
    const first = new WebSocket(service.url.replace('http', 'ws'), protocols)
    await new Promise((resolve) => {
      first.onopen = resolve
    })
    expect(first.protocol).toBe('parley.v1')
    for (const reason of ['too-many-sockets', 'too-many-sockets', 'rate-limit-exceeded']) {
      expect(await closeOf(service, protocols)).toEqual(refused(1013, reason))
    }
    first.close()
  })

  test('an unsupported version, or a malformed cursor: 1008', async () => {
    await using service = await startService()
    const { token } = await service.account('someone')
    expect(await closeOf(service, ['parley.v2', 'parley.refusals', `bearer.${token}`])).toEqual(
      refused(1008, 'unsupported-api-version'),
    )
    expect(
      await closeOf(service, ['parley.v1', 'parley.refusals', `bearer.${token}`], '/?after=%20'),
    ).toEqual(refused(1008, 'validation-failed'))
  })

  test('a refused connection takes no slot and receives no messages', async () => {
    await using service = await startService({ MAX_SOCKETS: '1' })
    const { token } = await service.account('someone')
    for (let i = 0; i < 3; i++) await closeOf(service, ['parley.v1', 'parley.refusals', 'bearer.a.b.c'])
    const socket = new WebSocket(service.url.replace('http', 'ws'), ['parley.v1', `bearer.${token}`])
    await new Promise((resolve, reject) => {
      socket.onopen = resolve
      socket.onerror = reject
    })
    socket.close()
  })

  test('a page that does not offer it sees a failed handshake, as before', async () => {
    await using service = await startService()
    const close = await closeOf(service, ['parley.v1', 'bearer.a.b.c'])
    expect(close.opened).toBe(false)
    const response = await refusedHandshake(service.url, {
      'sec-websocket-protocol': 'parley.v1, bearer.a.b.c',
    })
    expect(response.status).toBe(401)
  })
})
