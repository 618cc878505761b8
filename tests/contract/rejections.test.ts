import { describe, expect, test } from 'bun:test'
import { createAccount, uniqueName } from './support/accounts.ts'
import { contract } from './support/contract.ts'
import { type Call, call, malformedHandshake, rejectedHandshake, send } from './support/http-client.ts'
import { openRawSocket, receivedBytes, textFrame } from './support/raw-socket.ts'
import { validRequest } from './support/requests.ts'
import { mainServer } from './support/server.ts'
import { connect } from './support/socket-client.ts'
import { setUpTestFile } from './support/test-file.ts'

setUpTestFile()
const main = await mainServer()
const account = createAccount(main)

for (const { id, body, scheme, path, parameters } of contract.operations) {
  describe(id, () => {
    const valid = () =>
      body ? { body: { username: uniqueName(), password: 'long enough', message: 'x' }, path: inPath } : {}
    /** Path parameters that match their schemas. */
    const inPath = Object.fromEntries(
      parameters.filter((one) => one.in === 'path').map(({ name }) => [name, 'unknown']),
    )
    const token = async () => (scheme ? (await account).token : undefined)

    test('an unsupported API version is rejected, and the problem lists the supported ones', async () => {
      const { body: problem } = await call(main, id, {
        token: await token(),
        ...(await exampleOf(id)),
        headers: { 'api-version': '2' },
      })
      expect(problem.supportedVersions).toBeArray()
    })

    test('every documented API version is accepted', async () => {
      const versions = parameters.find((one) => one.name === 'API-Version')?.schema.enum ?? []
      for (const version of versions) {
        const { token: valid, ...request } = await validRequest(main, id, await account)
        await call(main, id, {
          ...request,
          token: scheme ? valid : undefined,
          headers: { 'api-version': String(version) },
        })
      }
    })

    test('the response returns the trace of the request, if it has a valid one', async () => {
      const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
      const responseTo = async (traceparent: string) => {
        const { token: valid, ...request } = await validRequest(main, id, await account)
        const token = scheme ? valid : undefined
        return call(main, id, { ...request, token, headers: { traceparent } })
      }
      const { headers } = await responseTo(`00-${traceId}-00f067aa0ba902b7-01`)
      expect(headers.traceresponse).toContain(traceId)
      for (const traceparent of ['', 'unknown', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`]) {
        expect((await responseTo(traceparent)).headers).not.toHaveProperty('traceresponse')
      }
    })

    test('an unknown method is rejected with the allowed ones', async () => {
      const supported = contract.operations.filter((one) => one.path === path).map(({ method }) => method)
      const method = ['PATCH', 'POST', 'PUT'].find((one) => !supported.includes(one)) ?? 'TRACE'
      await send(main, { method, path: path.replaceAll(/\{[^}]+\}/g, 'x') })
    })

    test('a token is required only if the document requires one', async () => {
      if (!scheme) return expect((await call(main, id, { body: {} })).status).toBe(422)
      await call(main, id, await exampleOf(id))
      await call(main, id, { ...(await exampleOf(id)), headers: { authorization: 'Basic eDp5' } })
      await call(main, id, { ...(await exampleOf(id)), token: 'not-a-token', expect: 'invalid-token' })
    })

    if (!body) return
    test('a body that is empty or not JSON in UTF-8 is malformed', async () => {
      for (const rawBody of ['', '{"a":', 'Hello', new Uint8Array([0x22, 0xc3, 0x28, 0x22])]) {
        await call(main, id, { token: await token(), path: inPath, rawBody })
      }
    })

    test('another media type, a missing one, or a compressed body is rejected', async () => {
      for (const headers of [
        { 'content-type': 'text/plain' },
        { 'content-type': '' },
        { 'content-encoding': 'gzip' },
      ]) {
        await call(main, id, { token: await token(), ...valid(), headers: headers as Record<string, string> })
      }
    })

    test('a body of the maximum size is accepted, and one that is a byte larger is rejected', async () => {
      // The unknown property makes the body invalid for every operation.
      const body = '{"unknown":1}'
      const { body: read } = await call(main, id, {
        token: await token(),
        path: inPath,
        rawBody: body.padEnd(contract.bodyBytes),
      })
      expect(read.code).toBe('validation-failed')
      const { status } = await call(main, id, {
        token: await token(),
        path: inPath,
        rawBody: body.padEnd(contract.bodyBytes + 1),
      })
      expect(status).toBe(413)
    })
  })
}

/** A valid request without its token. Tests use it for requests that fail. */
async function exampleOf(id: string): Promise<Call> {
  const { token: _, ...request } = await validRequest(main, id, await account, { fails: true })
  return request
}

test('an unknown path and a trailing slash return 404', async () => {
  await send(main, { method: 'GET', path: '/nowhere' })
  await send(main, { method: 'POST', path: `${contract.operations[0]?.path}/` })
})

test('every service path returns 200', async () => {
  const examples: Record<string, string> = {
    '/problems/{code}': `/problems/${Object.keys(contract.problems)[0]}`,
    '/swagger/{asset}': '/swagger/swagger-ui.css',
    '/try/{asset}': '/try/page.css',
    '/guides/{guide}': '/guides/realtime',
  }
  for (const path of contract.servicePaths) {
    await send(main, { method: 'GET', path: examples[path] ?? path })
  }
})

describe('the handshake', () => {
  test('requires a token and does not accept one in the URL', async () => {
    await rejectedHandshake(main)
    await rejectedHandshake(main, { query: { token: (await account).token } })
  })

  test('rejects an invalid token in the header and in the subprotocol', async () => {
    const { subprotocol, tokenPrefix } = contract.channel
    await rejectedHandshake(main, { token: 'not-a-token', expect: 'invalid-token' })
    const headers = { 'sec-websocket-protocol': `${subprotocol}, ${tokenPrefix}not-a-token` }
    await rejectedHandshake(main, { headers, expect: 'invalid-token' })
  })

  test('rejects an unsupported API version', async () => {
    await rejectedHandshake(main, { token: (await account).token, headers: { 'api-version': '2' } })
  })

  test('rejects an origin that is not allowed', async () => {
    const headers = { origin: 'https://elsewhere.example' }
    await rejectedHandshake(main, { token: (await account).token, headers, expect: 'origin-not-allowed' })
  })

  test('rejects subprotocols without the one of this API', async () => {
    const headers = { 'sec-websocket-protocol': 'chat' }
    await rejectedHandshake(main, { token: (await account).token, headers })
  })

  const malformed: [string, Record<string, string>][] = [
    ['has no key', { 'sec-websocket-key': '' }],
    ['has a key that is too short', { 'sec-websocket-key': 'cGFybGV5' }],
    ['has a key that is not in base64', { 'sec-websocket-key': '?'.repeat(24) }],
    ['does not upgrade in Connection', { connection: 'keep-alive' }],
    ['has no Upgrade', { upgrade: '' }],
    ['upgrades to another protocol', { upgrade: 'h2c' }],
    ['has no Upgrade and no version', { upgrade: '', 'sec-websocket-version': '' }],
    ['has no Upgrade and no key', { upgrade: '', 'sec-websocket-key': '' }],
  ]
  for (const [name, upgrade] of malformed) {
    test(`is malformed if it ${name}`, async () => {
      const { body } = await malformedHandshake(main, upgrade, { token: (await account).token })
      expect(body.code).toBe('malformed-handshake')
    })
  }

  test('rejects another version of the protocol and names the supported one', async () => {
    for (const version of ['12', '8', '']) {
      const upgrade = { 'sec-websocket-version': version }
      const { headers } = await malformedHandshake(main, upgrade, { token: (await account).token })
      expect(headers['sec-websocket-version']).toBe('13')
    }
  })

  test('accepts WebSocket in a list of protocols, in any letter case', async () => {
    const { token } = await account
    for (const upgrade of ['h2c, websocket', 'WebSocket']) {
      const socket = await openRawSocket(main, token, { upgrade, connection: 'keep-alive, upgrade' })
      socket.tcp.write(textFrame(Buffer.from('{"event":"ping"}')))
      await receivedBytes(socket, (bytes) => bytes.includes('{"event":"pong"}'))
      socket.tcp.destroy()
    }
  })

  test('selects its own subprotocol when the client also offers the one for refusals', async () => {
    const { token } = await account
    const socket = await connect(main, { token, by: 'subprotocol', readsRefusals: true })
    await socket.turn('{"event":"ping"}')
    socket.close()
  })
})
