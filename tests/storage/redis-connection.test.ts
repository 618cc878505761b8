import { describe, expect, test } from 'bun:test'
import { RedisUnavailable } from '../../src/storage/errors.ts'
import { openRedis, type RedisConnectionOptions } from '../../src/storage/redis/connection.ts'
import { type RedisServer, skipsRedis, startRedis } from '../fixtures/redis-server.ts'
import { until } from './support/message-logs.ts'

/** Opens a connection, and records what is reported about the server. */
function open(url: string, options: Partial<RedisConnectionOptions> = {}) {
  const reports: string[] = []
  const redis = openRedis({
    url,
    onLost: ({ message }) => reports.push(message),
    onRecovered: () => reports.push('recovered'),
  })
  const connection = redis.connect({ name: 'parley-test', ...options })
  return { ...connection, redis, reports, [Symbol.dispose]: redis.close }
}

const isConnected = ({ isConnected }: { isConnected(): boolean }) => until(isConnected)

/** The ids of the clients with this name. */
async function clientIds(server: RedisServer, name = 'parley-test'): Promise<string[]> {
  const lines = String(await server.command('CLIENT', 'LIST')).split('\n')
  return lines
    .filter((line) => line.includes(`name=${name} `))
    .map((line) => /id=(\d+)/.exec(line)?.[1] ?? '')
}

describe.skipIf(skipsRedis)('a connection to Redis', () => {
  test('runs commands, and passes on the errors that Redis returns', async () => {
    await using server = await startRedis()
    using connection = open(server.url)
    await isConnected(connection)
    expect(await connection.run((client) => client.send('ECHO', ['hello']))).toBe('hello')
    await expect(connection.run((client) => client.send('EVALSHA', ['0'.repeat(40), '0']))).rejects.toThrow(
      'NOSCRIPT',
    )
    expect(connection.isConnected()).toBe(true)
    expect(await clientIds(server)).toHaveLength(1)
    expect(connection.reports).toEqual([])
  })

  test('is replaced when the server is killed and starts again, which is reported once each', async () => {
    await using server = await startRedis()
    using connection = open(server.url)
    await isConnected(connection)
    await server.kill()
    await until(() => connection.reports.length === 1)
    await expect(connection.run((client) => client.send('PING', []))).rejects.toThrow(RedisUnavailable)
    await server.start()
    await until(() => connection.reports.length === 2)
    expect(connection.reports).toEqual([
      expect.stringContaining(`the Redis server at 127.0.0.1:${server.port} `),
      'recovered',
    ])
    expect(await connection.run((client) => client.send('PING', []))).toBe('PONG')
  })

  test('is prepared again after Redis has closed it', async () => {
    await using server = await startRedis()
    const received: string[] = []
    using connection = open(server.url, {
      prepare: (client) => client.subscribe('news', (message) => received.push(message)),
    })
    await isConnected(connection)
    const [id = ''] = await clientIds(server)
    await server.command('CLIENT', 'KILL', 'ID', id)
    await until(() => connection.reports.includes('recovered'))
    await server.command('PUBLISH', 'news', 'hello')
    await until(() => received.length > 0)
    expect(received).toEqual(['hello'])
  })

  test('is replaced when a command is not answered, and no command is sent twice', async () => {
    await using server = await startRedis()
    using connection = open(server.url, { commandMs: 200 })
    await isConnected(connection)
    server.freeze()
    const commands = [1, 2, 3].map(() => connection.run((client) => client.send('INCR', ['count'])))
    const results = await Promise.allSettled(commands)
    for (const result of results) expect(result).toMatchObject({ reason: expect.any(RedisUnavailable) })
    expect(connection.isConnected()).toBe(false)
    server.thaw()
    await isConnected(connection)
    // Those that Redis had received before are executed once, all others never.
    expect(Number(await server.command('GET', 'count'))).toBeLessThanOrEqual(3)
    expect(await connection.run((client) => client.send('SET', ['count', '0']))).toBe('OK')
    await until(() => connection.reports.includes('recovered'))
    expect(connection.reports).toEqual([expect.stringContaining('did not respond within'), 'recovered'])
  })

  test('is opened as soon as a server that was absent at the start is available', async () => {
    await using server = await startRedis([], { started: false })
    using connection = open(server.url)
    await until(() => connection.reports.length === 1)
    expect(connection.reports[0]).toContain('cannot be reached')
    await server.start()
    await until(() => connection.reports.length === 2)
    expect(connection.reports[1]).toBe('recovered')
  })

  test('of several to one server, the first that is lost and the last that returns are reported', async () => {
    await using server = await startRedis()
    using connection = open(server.url)
    const other = connection.redis.connect({ name: 'parley-other' })
    await until(() => connection.isConnected() && other.isConnected())
    await server.kill()
    await until(() => connection.reports.length === 1 && !other.isConnected())
    await server.start()
    await until(() => connection.isConnected() && other.isConnected())
    await until(() => connection.reports.length === 2)
    expect(connection.reports[1]).toBe('recovered')
  })

  test('opens no other connection once it is closed', async () => {
    await using server = await startRedis()
    using connection = open(server.url)
    await isConnected(connection)
    connection.close()
    expect(connection.isConnected()).toBe(false)
    await until(async () => (await clientIds(server)).length === 0)
    await expect(connection.run((client) => client.send('PING', []))).rejects.toThrow(RedisUnavailable)
    expect(connection.reports).toEqual([])
  })
})

describe.skipIf(skipsRedis)('the report of a connection that cannot be opened names', () => {
  async function reportOf(url: string): Promise<string> {
    using connection = open(url)
    await until(() => connection.reports.length > 0)
    return connection.reports[0] as string
  }

  test('a wrong password, without repeating it', async () => {
    await using server = await startRedis(['--requirepass', 'the-right-one'])
    const report = await reportOf(server.url.replace('the-right-one', 'the-wrong-one'))
    expect(report).toContain('refuses the connection: WRONGPASS')
    expect(report).not.toContain('the-wrong-one')
  })

  test('a missing password', async () => {
    await using server = await startRedis(['--requirepass', 'the-right-one'])
    expect(await reportOf(`redis://127.0.0.1:${server.port}`)).toContain('NOAUTH')
  })

  test('a database that does not exist', async () => {
    await using server = await startRedis()
    expect(await reportOf(`${server.url}/99`)).toContain('DB index is out of range')
  })

  test('a server that does not respond', async () => {
    await using server = await startRedis()
    server.freeze()
    expect(await reportOf(server.url)).toContain('does not respond')
  })

  test('a server without TLS', async () => {
    await using server = await startRedis()
    expect(await reportOf(server.url.replace('redis:', 'rediss:'))).toMatch(
      /cannot be reached|closed the connection|does not respond/,
    )
  })

  test('a host that does not exist', async () => {
    expect(await reportOf('redis://no-such-host.invalid')).toContain(
      'no-such-host.invalid:6379 cannot be reached',
    )
  })
})
