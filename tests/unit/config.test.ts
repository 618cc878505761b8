import { describe, expect, test } from 'bun:test'
import { ConfigError, readConfig } from '../../src/config.ts'

const policies = ['login', 'send']
const faultsOf = (environment: Record<string, string>) => {
  try {
    readConfig(environment, policies)
    return []
  } catch (error) {
    return (error as ConfigError).faults
  }
}

test('all faults are reported at once, and no secret is repeated', () => {
  const environment = {
    PORT: '65536',
    TOKEN_TTL_SECONDS: '-1',
    JWT_SECRET: 'too short to keep',
    LOG_LEVEL: 'loud',
    NODE_ENV: 'prod',
    RATE_LIMITS: 'maybe',
    RATE_LIMIT_LOGIN: '10',
    RATE_LIMIT_NOTHING: '10/60',
    CORS_ORIGINS: 'https://app.example.com/path, app.example.com',
    TRUSTED_PROXIES: '10.0.0.0/33, proxy.example.com, 0.0.0.0/0',
    MAX_SOCKETS: '1.5',
    SOCKET_BUFFER_BYTES: '1',
    MESSAGE_RETENTION_DAYS: '0',
  }
  const faults = faultsOf(environment)
  for (const name of Object.keys(environment)) expect(faults.join('\n')).toContain(name)
  expect(faults).toHaveLength(16)
  expect(faults.join()).not.toContain('too short to keep')
  expect(() => readConfig(environment, policies)).toThrow(ConfigError)
})

test.each([
  [{}, false],
  [{ NODE_ENV: 'development' }, true],
  [{ NODE_ENV: 'development', TRY_PAGE: 'off' }, false],
  [{ NODE_ENV: 'production', TRY_PAGE: 'on' }, true],
] as const)('with %o, the try-it page is served: %p', (environment, served) => {
  expect(readConfig(environment, policies).tryPage).toBe(served)
})

describe('an invalid value is reported', () => {
  const values: [string, string][] = [
    ['PORT', '3000x'],
    ['PORT', '0x10'],
    ['PORT', '1e3'],
    ['RATE_LIMIT_SEND', '0/60'],
    ['RATE_LIMIT_SEND', '10/0'],
    ['RATE_LIMIT_SEND', '10/60/1'],
    ['RATE_LIMIT_SEND', '-1/60'],
    ['CORS_ORIGINS', 'null'],
    ['CORS_ORIGINS', 'https://app.example.com/'],
    ['TRUSTED_PROXIES', '10.0.0.0/'],
    ['TRUSTED_PROXIES', '10.0.0.0/8/8'],
    ['TRUSTED_PROXIES', '10.0.0.0/-1'],
    ['TRUSTED_PROXIES', '::/0'],
    ['TRUSTED_PROXIES', '2001:db8::/129'],
  ]
  for (const [name, value] of values) {
    test(`${name}=${value}`, () =>
      expect(faultsOf({ [name]: value })).toEqual([expect.stringContaining(name)]))
  }
})

test('an empty variable counts as unset, and the configuration is frozen', () => {
  const config = readConfig({ PORT: '', JWT_SECRET: '', RATE_LIMIT_SEND: '', CORS_ORIGINS: ' ' }, policies)
  expect([config.port, config.jwtSecret, config.corsOrigins, config.rateLimitOverrides]).toEqual([
    3000,
    undefined,
    [],
    {},
  ])
  expect(Object.isFrozen(config)).toBe(true)
})

test('a rate limit is overridden by a variable with the name of its policy in upper case', () => {
  const { rateLimitOverrides } = readConfig({ RATE_LIMIT_SEND: '100000/60' }, policies)
  expect(rateLimitOverrides).toEqual({ send: { quota: 100_000, window: 60 } })
})

describe('REDIS_URL', () => {
  const settings = {
    DATABASE_URL: 'postgres://db.example.com/parley',
    JWT_SECRET: 'k3Jv9qLz7Xw2Rb8Nf4Tc6Ym1Pd5Hs0Ga',
  }

  test.each([
    'redis://cache.example.com',
    'redis://someone:a-password@cache.example.com:6380/2',
    'rediss://:a-password@[::1]:6379/',
  ])('%s is accepted', (redisUrl) => {
    expect(readConfig({ ...settings, REDIS_URL: redisUrl }, policies).redisUrl).toBe(redisUrl)
  })

  test.each([
    'http://cache.example.com/a-password',
    'cache.example.com:6379',
    'redis:a-password',
    'redis://cache.example.com/a-password',
    'redis://cache.example.com/0?password=a-password',
  ])('%s is refused without repeating it', (value) => {
    expect(faultsOf({ ...settings, REDIS_URL: value })).toEqual([
      'REDIS_URL must be a URL such as redis://user:password@host:6379, or rediss:// for TLS',
    ])
  })

  test('needs DATABASE_URL', () => {
    expect(faultsOf({ REDIS_URL: 'redis://cache.example.com' })).toEqual([
      'REDIS_URL needs DATABASE_URL: Redis only connects nodes that share a PostgreSQL database',
    ])
  })
})

describe('DATABASE_URL', () => {
  const databaseUrl = 'postgres://someone:a-password@db.example.com/parley'
  const secret = 'k3Jv9qLz7Xw2Rb8Nf4Tc6Ym1Pd5Hs0Ga'

  test('selects PostgreSQL, and needs a key that all nodes share', () => {
    expect(readConfig({ DATABASE_URL: databaseUrl, JWT_SECRET: secret }, policies)).toMatchObject({
      databaseUrl,
      storageTimeoutSeconds: 10,
    })
    expect(readConfig({}, policies).databaseUrl).toBeUndefined()
    const [fault = ''] = faultsOf({ DATABASE_URL: databaseUrl })
    expect(fault).toStartWith('JWT_SECRET must be set with DATABASE_URL')
    const [keyFault = ''] = faultsOf({ DATABASE_URL: databaseUrl, JWT_ALGORITHM: 'EdDSA' })
    expect(keyFault).toStartWith('JWT_PRIVATE_KEY must be set with DATABASE_URL')
  })

  test.each([
    'mysql://someone:a-password@db.example.com/parley',
    'db.example.com:5432/parley?password=a-password',
    'postgres:a-password',
    '//a-password',
  ])('%s is refused without repeating it', (value) => {
    const faults = faultsOf({ DATABASE_URL: value, JWT_SECRET: secret })
    expect(faults).toEqual(['DATABASE_URL must be a URL such as postgres://user:password@host:5432/database'])
  })
})
