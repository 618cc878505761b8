import { describe, expect, test } from 'bun:test'
import { createTokens } from '../../../src/auth/tokens.ts'
import { closeCodes, maxFrameBytes } from '../../../src/contract/frames.ts'
import { connect } from '../support/chat-client.ts'
import { refusedHandshake } from '../support/raw-http.ts'
import { bearer, keys, startService, untilNoticed } from '../support/service.ts'

const refusal = async (response: ReturnType<typeof refusedHandshake>) => {
  const { status, headers, body } = await response
  return { status, code: (JSON.parse(body) as { code: string }).code, retryAfter: headers['retry-after'] }
}

/** Connects, and retries until the server has noticed that an earlier connection was closed. */
async function connectRetrying(url: string, token: string) {
  for (;;) {
    const client = await connect(url, token).catch(() => undefined)
    if (client) return client
    await Bun.sleep(5)
  }
}

describe('slots', () => {
  test('a handshake beyond MAX_SOCKETS_PER_USER is refused with 429 until a connection closes', async () => {
    await using service = await startService({ MAX_SOCKETS_PER_USER: '2' })
    const [a, b] = [await service.account('user-a'), await service.account('user-b')]
    const [first, second] = [await connect(service.url, a.token), await connect(service.url, a.token)]
    expect(await refusal(refusedHandshake(service.url, bearer(a.token)))).toEqual({
      status: 429,
      code: 'too-many-sockets',
      retryAfter: expect.stringMatching(/^[1-9]\d*$/),
    })
    const other = await connect(service.url, b.token)
    await first.close()
    const third = await connectRetrying(service.url, a.token)
    expect((await refusal(refusedHandshake(service.url, bearer(a.token)))).status).toBe(429)
    for (const client of [second, third, other]) await client.close()
  })

  test('a handshake beyond MAX_SOCKETS is refused with 503 until a connection closes', async () => {
    await using service = await startService({ MAX_SOCKETS: '2' })
    const accounts = [
      await service.account('user-a'),
      await service.account('user-b'),
      await service.account('user-c'),
    ]
    const [a, b, c] = accounts.map(({ token }) => token) as [string, string, string]
    const [first, second] = [await connect(service.url, a), await connect(service.url, b)]
    expect(await refusal(refusedHandshake(service.url, bearer(c)))).toEqual({
      status: 503,
      code: 'sockets-exhausted',
      retryAfter: expect.stringMatching(/^[1-9]\d*$/),
    })
    await first.close()
    const third = await connectRetrying(service.url, c)
    for (const client of [second, third]) await client.close()
  })

  test('parallel handshakes do not exceed the limit', async () => {
    await using service = await startService({ MAX_SOCKETS_PER_USER: '3' })
    const { token } = await service.account('someone')
    const results = await Promise.allSettled(Array.from({ length: 12 }, () => connect(service.url, token)))
    const clients = results.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
    expect(clients).toHaveLength(3)
    for (const client of clients) await client.close()
  })

  test('a refused handshake occupies no slot', async () => {
    await using service = await startService({ MAX_SOCKETS_PER_USER: '1' })
    const { token } = await service.account('someone')
    for (let i = 0; i < 3; i++) {
      await refusedHandshake(service.url, { ...bearer(token), origin: 'https://evil.example' })
      await refusedHandshake(service.url, bearer(token), '/?after=%20')
      await refusedHandshake(service.url, { ...bearer(token), 'sec-websocket-protocol': 'parley.v2' })
    }
    await (await connect(service.url, token)).close()
  })
})

describe('a handshake', () => {
  test('with an unsupported subprotocol or API version is refused with 400', async () => {
    await using service = await startService()
    const { token } = await service.account('someone')
    const wrong = refusedHandshake(service.url, { ...bearer(token), 'sec-websocket-protocol': 'parley.v2' })
    expect(await refusal(wrong)).toMatchObject({ status: 400, code: 'unsupported-api-version' })
    const version = refusedHandshake(service.url, { ...bearer(token), 'api-version': '2' })
    expect(await refusal(version)).toMatchObject({ status: 400, code: 'unsupported-api-version' })
  })

  test('with a malformed cursor, an unknown parameter or two cursors is refused with 422', async () => {
    await using service = await startService()
    const { token } = await service.account('someone')
    for (const query of [
      'after=a%20b',
      'after=',
      `after=${'a'.repeat(65)}`,
      'since=a',
      'after=a&after=b',
      '__proto__=a',
    ]) {
      expect(await refusal(refusedHandshake(service.url, bearer(token), `/?${query}`))).toMatchObject({
        status: 422,
        code: 'validation-failed',
      })
    }
  })

  test('without a token is refused with 401, from any origin', async () => {
    await using service = await startService()
    expect(await refusal(refusedHandshake(service.url, { origin: 'https://evil.example' }))).toMatchObject({
      status: 401,
      code: 'missing-token',
    })
  })
})

describe('frames', () => {
  test('of 64 KiB are accepted, and one more byte closes the connection with 1009', async () => {
    await using service = await startService()
    const { token } = await service.account('someone')
    const client = await connect(service.url, token)
    client.send('{"message":"a"}'.padEnd(maxFrameBytes, ' '))
    expect((await client.next()).message).toBe('a')
    client.send('{"message":"a"}'.padEnd(maxFrameBytes + 1, ' '))
    const { code, reason } = closeCodes['frame-too-large']
    expect(await client.closed).toEqual({ code, reason })
  })

  test('in binary close the connection with 1003', async () => {
    await using service = await startService()
    const { token } = await service.account('someone')
    const client = await connect(service.url, token)
    client.send(new TextEncoder().encode('{"message":"a"}'))
    const { code, reason } = closeCodes['binary-frame']
    expect(await client.closed).toEqual({ code, reason })
  })

  test('that are invalid receive one error frame each, and the connection stays open', async () => {
    await using service = await startService()
    const { token } = await service.account('someone')
    const client = await connect(service.url, token)
    const frames: [string, string][] = [
      ['', 'malformed-json'],
      ['['.repeat(maxFrameBytes), 'malformed-json'],
      ['null', 'validation-failed'],
      ['1', 'validation-failed'],
      ['[]', 'validation-failed'],
      ['{}', 'validation-failed'],
      ['{"event":"disconnect","message":"a"}', 'validation-failed'],
      ['{"event":"error","message":"a"}', 'validation-failed'],
      ['{"event":"message"}', 'validation-failed'],
      ['{"message":"a","__proto__":{"event":"disconnect"}}', 'validation-failed'],
      ['{"__proto__":{"event":"disconnect"}}', 'validation-failed'],
      ['{"message":"\\ud834"}', 'validation-failed'],
      ['{"message":"a","idempotencyKey":""}', 'validation-failed'],
      ['{"message":"a","idempotencyKey":"a b"}', 'validation-failed'],
      [`{"message":"a","idempotencyKey":"${'k'.repeat(65)}"}`, 'validation-failed'],
    ]
    for (const [frame, code] of frames) {
      client.send(frame)
      expect(await client.next()).toMatchObject({ event: 'error', problem: { code } })
    }
    client.send({ message: 'still here' })
    expect((await client.next()).message).toBe('still here')
    await client.close()
  })
})

describe('a connection', () => {
  test('of a removed account is closed with 3000 at its next frame, which is not stored', async () => {
    await using service = await startService()
    const [removed, witness] = [await service.account('removed'), await service.account('witness')]
    const [client, other] = [
      await connect(service.url, removed.token),
      await connect(service.url, witness.token),
    ]
    using file = service.openFile()
    file.run('delete from users where id = ?', [removed.user.id])
    await untilNoticed()
    client.send({ message: 'after removal' })
    expect(await client.closed).toEqual({ code: 3000, reason: 'account-removed' })
    other.send({ message: 'the first message' })
    expect((await other.next()).message).toBe('the first message')
    await other.close()
  })

  test('is closed with 3000 when its token expires, whether or not it sends frames', async () => {
    await using service = await startService()
    const { user } = await service.account('someone')
    const brief = createTokens({ keys, ttlSeconds: 3 })
    const { token } = await brief.issue({ user, tokensValidFrom: 0 })
    const [idle, busy] = [await connect(service.url, token), await connect(service.url, token)]
    const sending = setInterval(() => busy.send({ message: 'still here' }), 100)
    expect(await idle.closed).toEqual({ code: 3000, reason: 'token-expired' })
    expect(await busy.closed).toEqual({ code: 3000, reason: 'token-expired' })
    clearInterval(sending)
  }, 60_000)
})
