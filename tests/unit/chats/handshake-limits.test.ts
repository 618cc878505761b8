import { describe, expect, test } from 'bun:test'
import { createTokens } from '../../../src/auth/tokens.ts'
import { closeCodes, maxFrameBytes } from '../../../src/contract/frames.ts'
import { connect } from '../support/chat-client.ts'
import { refusedHandshake } from '../support/raw-http.ts'
import { bearer, secret, startService } from '../support/service.ts'

const refusal = async (answer: ReturnType<typeof refusedHandshake>) => {
  const { status, headers, body } = await answer
  return { status, code: (JSON.parse(body) as { code: string }).code, retryAfter: headers['retry-after'] }
}

/** Tries until the server has noticed that a connection is gone. */
async function connectOnceFree(url: string, token: string) {
  for (;;) {
    const client = await connect(url, token).catch(() => undefined)
    if (client) return client
    await Bun.sleep(5)
  }
}

describe('places', () => {
  test('beyond MAX_SOCKETS_PER_USER: 429 before the upgrade; a place is given back', async () => {
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
    const third = await connectOnceFree(service.url, a.token)
    expect((await refusal(refusedHandshake(service.url, bearer(a.token)))).status).toBe(429)
    for (const client of [second, third, other]) await client.close()
  })

  test('beyond MAX_SOCKETS: 503 before the upgrade; a place is given back', async () => {
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
    const third = await connectOnceFree(service.url, c)
    for (const client of [second, third]) await client.close()
  })

  test('handshakes side by side get no more places than there are', async () => {
    await using service = await startService({ MAX_SOCKETS_PER_USER: '3' })
    const { token } = await service.account('someone')
    const results = await Promise.allSettled(Array.from({ length: 12 }, () => connect(service.url, token)))
    const clients = results.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
    expect(clients).toHaveLength(3)
    for (const client of clients) await client.close()
  })

  test('a handshake that is refused takes no place', async () => {
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

describe('what a handshake needs', () => {
  test('the subprotocol is the version', async () => {
    await using service = await startService()
    const { token } = await service.account('someone')
    const wrong = refusedHandshake(service.url, { ...bearer(token), 'sec-websocket-protocol': 'parley.v2' })
    expect(await refusal(wrong)).toMatchObject({ status: 400, code: 'unsupported-api-version' })
    const version = refusedHandshake(service.url, { ...bearer(token), 'api-version': '2' })
    expect(await refusal(version)).toMatchObject({ status: 400, code: 'unsupported-api-version' })
  })

  test('a malformed cursor, an unknown parameter and two cursors are 422', async () => {
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

  test('without a token it is 401, whatever the origin', async () => {
    await using service = await startService()
    expect(await refusal(refusedHandshake(service.url, { origin: 'https://evil.example' }))).toMatchObject({
      status: 401,
      code: 'missing-token',
    })
  })
})

describe('frames', () => {
  test('64 KiB is taken, and one byte more closes with 1009', async () => {
    await using service = await startService()
    const { token } = await service.account('someone')
    const client = await connect(service.url, token)
    client.send('{"message":"a"}'.padEnd(maxFrameBytes, ' '))
    expect((await client.next()).message).toBe('a')
    client.send('{"message":"a"}'.padEnd(maxFrameBytes + 1, ' '))
    const { code, reason } = closeCodes['frame-too-large']
    expect(await client.closed).toEqual({ code, reason })
  })

  test('a binary frame closes with 1003', async () => {
    await using service = await startService()
    const { token } = await service.account('someone')
    const client = await connect(service.url, token)
    client.send(new TextEncoder().encode('{"message":"a"}'))
    const { code, reason } = closeCodes['binary-frame']
    expect(await client.closed).toEqual({ code, reason })
  })

  test('hostile frames get an error each, and the connection stays open', async () => {
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

describe('what ends with its account or its token', () => {
  test('the next frame of a removed account closes with 3000, and is not sent', async () => {
    await using service = await startService()
    const [gone, witness] = [await service.account('leaver'), await service.account('witness')]
    const [client, other] = [
      await connect(service.url, gone.token),
      await connect(service.url, witness.token),
    ]
    using file = service.openFile()
    file.run('delete from users where id = ?', [gone.user.id])
    client.send({ message: 'from beyond' })
    expect(await client.closed).toEqual({ code: 3000, reason: 'account-removed' })
    other.send({ message: 'the first' })
    expect((await other.next()).message).toBe('the first')
    await other.close()
  })

  test('a token that expires closes with 3000, whether frames come or not', async () => {
    await using service = await startService()
    const { user } = await service.account('someone')
    const brief = await createTokens({ secret, ttlSeconds: 2 })
    const token = await brief.issue(user.id)
    const [idle, busy] = [await connect(service.url, token), await connect(service.url, token)]
    const sending = setInterval(() => busy.send({ message: 'still here' }), 100)
    expect(await idle.closed).toEqual({ code: 3000, reason: 'token-expired' })
    expect(await busy.closed).toEqual({ code: 3000, reason: 'token-expired' })
    clearInterval(sending)
  })
})
