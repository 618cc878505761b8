import { afterAll, describe, expect, test } from 'bun:test'
import { createAccount } from './support/accounts.ts'
import { casesOf } from './support/cases.ts'
import { contract } from './support/contract.ts'
import { type Call, call, refusedHandshake } from './support/http-client.ts'
import { mainServer, stopServers } from './support/server.ts'
import { connect } from './support/socket-client.ts'

afterAll(stopServers)
const main = await mainServer()
const account = createAccount(main)

/** What a well-formed request with made-up values gets, where it is not success. */
const stateOf: Record<string, string> = { loginUser: 'invalid-credentials', listMessages: 'cursor-gone?' }

for (const { id, body, query, parameters } of contract.operations) {
  const state: Call = stateOf[id] ? { expect: stateOf[id] } : {}
  describe(`${id} holds every constraint`, () => {
    for (const { name, value, accepted } of body ? casesOf(body.schema) : []) {
      test(`${accepted ? 'takes' : 'refuses'} a body: ${name}`, async () => {
        const { status } = await call(main, id, { ...state, token: (await account).token, body: value })
        expect(status === 422).toBe(!accepted)
      })
    }
    for (const { name, value, accepted } of query ? casesOf(query, true) : []) {
      test(`${accepted ? 'takes' : 'refuses'} a query: ${name}`, async () => {
        const asked = value as Record<string, string>
        const { status } = await call(main, id, { ...state, token: (await account).token, query: asked })
        expect(status === 422).toBe(!accepted)
      })
    }
  })
  if (!parameters.some((one) => one.name === 'Idempotency-Key')) continue
  test(`${id} takes an idempotency key of 1 to 64 visible characters, quoted or bare, and no other`, async () => {
    const { token } = await createAccount(main)
    const send = (key: string) =>
      call(main, id, { token, body: { message: 'x' }, headers: { 'idempotency-key': key } }).then(
        ({ status }) => status,
      )
    for (const key of ['k', 'k'.repeat(64), '"q"', `"${'q'.repeat(64)}"`, '"a\\"b"', '"a\\\\b"', '~!~']) {
      expect(await send(key)).toBe(200)
    }
    for (const key of [
      'k'.repeat(65),
      `"${'q'.repeat(65)}"`,
      '""',
      '"open',
      '"a"b"',
      '"a\\b"',
      'two words',
      '"two words"',
    ]) {
      expect(await send(key)).toBe(422)
    }
  })
}

describe('the handshake holds every constraint', () => {
  for (const { name, value, accepted } of casesOf(contract.channel.query, true)) {
    test(`${accepted ? 'takes' : 'refuses'} a query: ${name}`, async () => {
      const { token } = await account
      const query = value as Record<string, string>
      if (!accepted) return expect((await refusedHandshake(main, { token, query })).status).toBe(422)
      const socket = await connect(main, { token, after: query.after ?? '' })
      expect((await socket.next()).event).toBe('gap')
      socket.close()
    })
  }
})

describe('the frames hold every constraint', () => {
  const socket = account.then((one) => connect(main, one))
  for (const message of contract.channel.messages.filter((one) => one.from === 'client')) {
    for (const { name, value, accepted } of casesOf(message.schema)) {
      // Without an event that says otherwise, a frame is a message to send.
      if (message.name === 'disconnect' && !name.startsWith('with ')) continue
      test(`${message.name}: ${accepted ? 'takes' : 'refuses'} ${name}`, async () => {
        const { event } = await (await socket).turn(JSON.stringify(value))
        expect(event).toBe(accepted ? 'message' : 'error')
      })
    }
  }

  test('a frame that is not JSON text is malformed', async () => {
    for (const text of ['', '{', '{"message":', 'undefined', '{"message":"x"}}'])
      await (await socket).turn(text)
  })
})
