import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { connect } from '../support/chat-client.ts'
import { refusedHandshake } from '../support/raw-http.ts'
import { bearer, type Service, startService } from '../support/service.ts'

const allowed = 'https://app.example.com'
const services: Record<string, Service> = {}

beforeAll(async () => {
  services.production = await startService({ CORS_ORIGINS: allowed })
  services.development = await startService({ NODE_ENV: 'development' })
  services.closed = await startService()
  services.open = await startService({ CORS_ORIGINS: '*' })
})
afterAll(async () => {
  for (const service of Object.values(services)) await service[Symbol.asyncDispose]()
})

interface Scenario {
  readonly name: string
  readonly at: 'production' | 'development' | 'closed' | 'open'
  readonly origin?: string
  readonly connects: boolean
  readonly reads: boolean
}

const scenarios: Scenario[] = [
  { name: 'no origin', at: 'production', connects: true, reads: false },
  { name: 'a listed origin', at: 'production', origin: allowed, connects: true, reads: true },
  {
    name: 'a listed origin with a port',
    at: 'production',
    origin: `${allowed}:8443`,
    connects: false,
    reads: false,
  },
  {
    name: 'a listed origin without TLS',
    at: 'production',
    origin: 'http://app.example.com',
    connects: false,
    reads: false,
  },
  {
    name: 'a host name that starts with a listed one',
    at: 'production',
    origin: `${allowed}.evil.example`,
    connects: false,
    reads: false,
  },
  {
    name: 'a host name that ends with a listed one',
    at: 'production',
    origin: 'https://evil-app.example.com',
    connects: false,
    reads: false,
  },
  { name: 'another origin', at: 'production', origin: 'https://evil.example', connects: false, reads: false },
  { name: 'an opaque origin', at: 'production', origin: 'null', connects: false, reads: false },
  {
    name: 'text that is not an origin',
    at: 'production',
    origin: 'nonsense',
    connects: false,
    reads: false,
  },
  {
    name: 'localhost in production',
    at: 'production',
    origin: 'http://localhost:5173',
    connects: false,
    reads: false,
  },
  {
    name: 'localhost in development',
    at: 'development',
    origin: 'http://localhost:5173',
    connects: true,
    reads: true,
  },
  {
    name: '127.0.0.1 in development',
    at: 'development',
    origin: 'http://127.0.0.1:8080',
    connects: true,
    reads: true,
  },
  {
    name: '[::1] in development',
    at: 'development',
    origin: 'http://[::1]:8080',
    connects: true,
    reads: true,
  },
  {
    name: 'a host name that starts with localhost',
    at: 'development',
    origin: 'http://localhost.evil.example',
    connects: false,
    reads: false,
  },
  {
    name: 'another origin in development',
    at: 'development',
    origin: 'https://evil.example',
    connects: false,
    reads: false,
  },
  {
    name: 'any origin, if none is listed',
    at: 'closed',
    origin: 'https://evil.example',
    connects: false,
    reads: false,
  },
  {
    name: 'any origin, if all are allowed',
    at: 'open',
    origin: 'https://anyone.example',
    connects: true,
    reads: true,
  },
]

for (const { name, at, origin, connects, reads } of scenarios) {
  describe(name, () => {
    const headers: Record<string, string> = origin === undefined ? {} : { origin }

    test(`${connects ? 'can' : 'cannot'} open a WebSocket`, async () => {
      const service = services[at] as Service
      const { token } = await service.account(`socket-${scenarios.findIndex((each) => each.name === name)}`)
      if (connects) return (await connect(service.url, token, { headers })).close()
      const response = await refusedHandshake(service.url, { ...headers, ...bearer(token) })
      expect([response.status, JSON.parse(response.body).code]).toEqual([403, 'origin-not-allowed'])
    })

    test(`${reads ? 'can' : 'cannot'} read responses from a script`, async () => {
      const service = services[at] as Service
      const response = await service.get('/api/users/profile', undefined, headers)
      const permission = response.headers.get('access-control-allow-origin')
      expect([permission === origin || permission === '*', response.status]).toEqual([reads, 401])
      expect(response.headers.get('access-control-allow-credentials')).toBeNull()
      if (reads) {
        const exposed = response.headers.get('access-control-expose-headers')?.toLowerCase()
        for (const each of ['ratelimit', 'retry-after', 'x-request-id', 'api-version'])
          expect(exposed).toContain(each)
      }
    })

    test(`${reads ? 'passes' : 'fails'} a preflight`, async () => {
      const service = services[at] as Service
      const response = await fetch(`${service.url}/api/chats/send`, {
        method: 'OPTIONS',
        headers: {
          ...headers,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization, content-type, idempotency-key, api-version',
        },
      })
      const permission = response.headers.get('access-control-allow-origin')
      expect(permission === origin || permission === '*').toBe(reads)
      if (reads) {
        expect(response.ok).toBe(true)
        const names = response.headers.get('access-control-allow-headers')?.toLowerCase()
        for (const each of ['authorization', 'content-type', 'idempotency-key', 'api-version'])
          expect(names).toContain(each)
        expect(response.headers.get('access-control-allow-methods')).toMatch(/POST|\*/)
      }
    })
  })
}

test('a page of the same host can open a WebSocket', async () => {
  const service = services.closed as Service
  const { token } = await service.account('same-host')
  await (await connect(service.url, token, { headers: { origin: service.url } })).close()
})

test('responses that differ by origin have Vary: Origin', async () => {
  const response = await (services.production as Service).get('/livez', undefined, { origin: allowed })
  expect(response.headers.get('vary')?.toLowerCase()).toContain('origin')
})

describe('every response', () => {
  test('has nosniff, no-referrer, a request id and the API version, even if it is an error', async () => {
    const service = services.production as Service
    for (const path of [
      '/livez',
      '/',
      '/swagger',
      '/openapi.json',
      '/nothing',
      '/api/users/profile',
      '/problems',
    ]) {
      const { headers } = await service.get(path)
      expect([headers.get('x-content-type-options'), headers.get('referrer-policy')]).toEqual([
        'nosniff',
        'no-referrer',
      ])
      expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
      expect(headers.get('api-version')).toBe('1')
    }
  })

  test('with a page has a content security policy that allows no foreign scripts', async () => {
    const service = services.production as Service
    for (const path of ['/', '/swagger', '/problems', '/problems/not-found']) {
      const { headers } = await service.get(path, undefined, { accept: 'text/html' })
      expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'/)
      expect(headers.get('content-security-policy')).not.toMatch(/unsafe|https?:|\*/)
    }
  })

  test('with a token has Cache-Control: no-store', async () => {
    const service = services.production as Service
    const account = { username: 'someone', password: 'a long password' }
    await service.post('/api/auth/register', account)
    const response = await service.post('/api/auth/login', account)
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store'])
  })
})
