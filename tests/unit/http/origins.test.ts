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
    name: 'a longer name',
    at: 'production',
    origin: `${allowed}.evil.example`,
    connects: false,
    reads: false,
  },
  {
    name: 'a name within',
    at: 'production',
    origin: 'https://evil-app.example.com',
    connects: false,
    reads: false,
  },
  { name: 'another origin', at: 'production', origin: 'https://evil.example', connects: false, reads: false },
  { name: 'a page without an origin', at: 'production', origin: 'null', connects: false, reads: false },
  { name: 'nonsense', at: 'production', origin: 'nonsense', connects: false, reads: false },
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
    name: 'a name that begins as localhost',
    at: 'development',
    origin: 'http://localhost.evil.example',
    connects: false,
    reads: false,
  },
  {
    name: 'another one in development',
    at: 'development',
    origin: 'https://evil.example',
    connects: false,
    reads: false,
  },
  {
    name: 'any, where none is listed',
    at: 'closed',
    origin: 'https://evil.example',
    connects: false,
    reads: false,
  },
  { name: 'any, where all are', at: 'open', origin: 'https://anyone.example', connects: true, reads: true },
]

for (const { name, at, origin, connects, reads } of scenarios) {
  describe(name, () => {
    const headers: Record<string, string> = origin === undefined ? {} : { origin }

    test(`${connects ? 'may' : 'may not'} open a socket`, async () => {
      const service = services[at] as Service
      const { token } = await service.account(`socket-${scenarios.findIndex((each) => each.name === name)}`)
      if (connects) return (await connect(service.url, token, { headers })).close()
      const answer = await refusedHandshake(service.url, { ...headers, ...bearer(token) })
      expect([answer.status, JSON.parse(answer.body).code]).toEqual([403, 'origin-not-allowed'])
    })

    test(`${reads ? 'may' : 'may not'} read answers from a script`, async () => {
      const service = services[at] as Service
      const answer = await service.get('/api/users/profile', undefined, headers)
      const permission = answer.headers.get('access-control-allow-origin')
      expect([permission === origin || permission === '*', answer.status]).toEqual([reads, 401])
      expect(answer.headers.get('access-control-allow-credentials')).toBeNull()
      if (reads) {
        const exposed = answer.headers.get('access-control-expose-headers')?.toLowerCase()
        for (const each of ['ratelimit', 'retry-after', 'x-request-id', 'api-version'])
          expect(exposed).toContain(each)
      }
    })

    test(`${reads ? 'passes' : 'fails'} a preflight`, async () => {
      const service = services[at] as Service
      const answer = await fetch(`${service.url}/api/chats/send`, {
        method: 'OPTIONS',
        headers: {
          ...headers,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization, content-type, idempotency-key, api-version',
        },
      })
      const permission = answer.headers.get('access-control-allow-origin')
      expect(permission === origin || permission === '*').toBe(reads)
      if (reads) {
        expect(answer.ok).toBe(true)
        const names = answer.headers.get('access-control-allow-headers')?.toLowerCase()
        for (const each of ['authorization', 'content-type', 'idempotency-key', 'api-version'])
          expect(names).toContain(each)
        expect(answer.headers.get('access-control-allow-methods')).toMatch(/POST|\*/)
      }
    })
  })
}

test('a page of this very host may open a socket', async () => {
  const service = services.closed as Service
  const { token } = await service.account('same-host')
  await (await connect(service.url, token, { headers: { origin: service.url } })).close()
})

test('where answers differ by origin, caches are told', async () => {
  const answer = await (services.production as Service).get('/livez', undefined, { origin: allowed })
  expect(answer.headers.get('vary')?.toLowerCase()).toContain('origin')
})

describe('headers of every answer', () => {
  test('nosniff and no-referrer, also on what fails', async () => {
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

  test('every page has a policy that lets no script of elsewhere in', async () => {
    const service = services.production as Service
    for (const path of ['/', '/swagger', '/problems', '/problems/not-found']) {
      const { headers } = await service.get(path, undefined, { accept: 'text/html' })
      expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'/)
      expect(headers.get('content-security-policy')).not.toMatch(/unsafe|https?:|\*/)
    }
  })

  test('an answer with a token is kept by no cache', async () => {
    const service = services.production as Service
    const account = { username: 'someone', password: 'a long password' }
    await service.post('/api/auth/register', account)
    const answer = await service.post('/api/auth/login', account)
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store'])
  })
})
