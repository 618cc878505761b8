import { describe, expect, test } from 'bun:test'
import { createAccount } from './support/accounts.ts'
import { casesOf } from './support/cases.ts'
import { contract } from './support/contract.ts'
import { type Call, call, rejectedHandshake } from './support/http-client.ts'
import { validRequest } from './support/requests.ts'
import { mainServer } from './support/server.ts'
import { connect } from './support/socket-client.ts'
import { setUpTestFile } from './support/test-file.ts'

setUpTestFile()
const main = await mainServer()
const account = createAccount(main)

/** The problem that a valid request with random values causes, if it does not succeed. */
const expectedProblem: Record<string, string> = {
  loginUser: 'invalid-credentials',
  changePassword: 'wrong-password',
  deleteProfile: 'wrong-password',
  listMessages: 'cursor-gone?',
  sendMessage: 'not-found?',
}

/** The problem that a valid frame with random values causes, if it does not succeed. */
const expectedFrameProblem: Record<string, string> = { authenticate: 'invalid-token' }

for (const { id, body, query, parameters, loginGuard } of contract.operations) {
  const guarded = loginGuard !== undefined
  const state: Call = expectedProblem[id] ? { expect: expectedProblem[id] } : {}
  const pathParameters = parameters.filter((one) => one.in === 'path')
  /** A request with valid path parameters, without its token. */
  const base = async (): Promise<Call> => {
    if (pathParameters.length === 0) return {}
    const { token: _, ...request } = await validRequest(main, id, await account, { fails: true })
    return request
  }
  describe(`${id} enforces every constraint`, () => {
    for (const { name, value, accepted } of body ? casesOf(body.schema) : []) {
      test(`${accepted ? 'accepts' : 'rejects'} a body: ${name}`, async () => {
        // Several wrong passwords of one user would be throttled.
        const { token } = accepted && guarded ? await createAccount(main) : await account
        const { status } = await call(main, id, { ...(await base()), ...state, token, body: value })
        expect(status === 422).toBe(!accepted)
      })
    }
    for (const { name, value, accepted } of query ? casesOf(query, true) : []) {
      test(`${accepted ? 'accepts' : 'rejects'} a query: ${name}`, async () => {
        const asked = value as Record<string, string>
        const request = { ...(await base()), ...state, token: (await account).token, query: asked }
        if (id === 'listMessages' && 'room' in asked) request.expect = 'not-found?'
        const { status } = await call(main, id, request)
        expect(status === 422).toBe(!accepted)
      })
    }
  })
  for (const { name, schema } of pathParameters) {
    test(`${id} responds with not-found to every ${name} that is unknown or violates its schema`, async () => {
      const { token } = await account
      const request = await base()
      const cases = casesOf({ type: 'object', properties: { [name]: schema } }, true)
      for (const { value } of cases) {
        const path = value as Record<string, string>
        // Without the last segment it is another path, and a path has no unpaired surrogates.
        if (path[name]?.isWellFormed() && path[name] !== '')
          await call(main, id, { ...request, token, path: { ...request.path, ...path }, expect: 'not-found' })
      }
      const path = { ...request.path, [name]: 'elsewher-0000000002a' }
      await call(main, id, { ...request, token, path, expect: 'not-found' })
    })
  }
  if (!parameters.some((one) => one.name === 'Idempotency-Key')) continue
  test(`${id} accepts only idempotency keys of 1 to 64 visible characters, quoted or not`, async () => {
    const { token } = await createAccount(main)
    const { body: valid = null } = await validRequest(main, id, await account)
    const send = (key: string) =>
      call(main, id, { token, body: valid, headers: { 'idempotency-key': key } }).then(({ status }) =>
        status < 300 ? 200 : status,
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

describe('the handshake enforces every constraint', () => {
  for (const { name, value, accepted } of casesOf(contract.channel.query, true)) {
    test(`${accepted ? 'accepts' : 'rejects'} a query: ${name}`, async () => {
      const { token } = await account
      const query = value as Record<string, string>
      if (!accepted) return expect((await rejectedHandshake(main, { token, query })).status).toBe(422)
      const socket = await connect(main, { token, after: query.after ?? '' })
      expect((await socket.next()).event).toBe('gap')
      await socket.next(({ event }) => event === 'caught-up')
      socket.close()
    })
  }
})

describe('client frames: every constraint is enforced', () => {
  const socket = account.then((one) => connect(main, one))
  for (const message of contract.channel.messages.filter((one) => one.from === 'client')) {
    for (const { name, value, accepted } of casesOf(message.schema)) {
      // Without its own event, a frame is validated as a message to send.
      const event = (value as { event?: unknown } | null)?.event
      if (message.schema.required?.includes('event') && event !== message.name) continue
      const toRoom = typeof value === 'object' && value !== null && 'room' in value
      const problem = toRoom ? 'not-found' : expectedFrameProblem[message.name]
      const succeeds = accepted && problem === undefined
      test(`${message.name}: ${accepted ? 'accepts' : 'rejects'} ${name}`, async () => {
        const expected = accepted ? problem : undefined
        const { event } = await (await socket).turn(JSON.stringify(value), expected)
        expect(event).toBe(succeeds ? 'message' : 'error')
      })
    }
  }

  test('a frame that is not JSON is malformed', async () => {
    for (const text of ['', '{', '{"message":', 'undefined', '{"message":"x"}}'])
      await (await socket).turn(text)
  })
})
