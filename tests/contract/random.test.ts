import { test } from 'bun:test'
import fc from 'fast-check'
import { createAccount } from './support/accounts.ts'
import { contract, type Schema } from './support/contract.ts'
import type { Json } from './support/documents.ts'
import { call } from './support/http-client.ts'
import { validRequest } from './support/requests.ts'
import { mainServer } from './support/server.ts'
import { connect } from './support/socket-client.ts'
import { setUpTestFile } from './support/test-file.ts'

setUpTestFile()
const main = await mainServer()
const settings = { seed: Number(process.env.SEED ?? 1), numRuns: Number(process.env.RUNS ?? 50) }
const account = createAccount(main)

/** Generates mostly objects with the properties of the schema, and sometimes any JSON value. */
function valueFor(schema: Schema): fc.Arbitrary<Json> {
  const anything = fc.jsonValue() as fc.Arbitrary<Json>
  const member = (property: Schema) =>
    fc.oneof(
      { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: (property.maxLength ?? 64) + 2 }) },
      { weight: 3, arbitrary: fc.string({ maxLength: 40 }) },
      { weight: 1, arbitrary: anything },
    )
  const names = Object.entries(schema.properties ?? {}).filter(([, property]) => property.const === undefined)
  const shaped = fc.record(Object.fromEntries(names.map(([name, property]) => [name, member(property)])), {
    requiredKeys: names.slice(0, 1).map(([name]) => name),
  })
  return fc.oneof({ weight: 4, arbitrary: shaped as fc.Arbitrary<Json> }, { weight: 1, arbitrary: anything })
}

/** Whether a value can be the id of a room, which does not exist. */
const isValidRoom = (value: unknown) => typeof value === 'string' && /^[0-9A-Za-z_-]{1,64}$/.test(value)

/** The problems that a valid request with random values causes, if it does not succeed. */
const expectedProblem: Record<string, string> = {
  registerUser: 'password-too-common?',
  loginUser: 'login-throttled?|invalid-credentials',
  changePassword: 'wrong-password?',
  deleteProfile: 'wrong-password?',
  sendMessage: 'not-found?',
  createRoom: 'not-found?|room-limit-exceeded?',
}

for (const [index, { id, body }] of contract.operations.entries()) {
  if (!body) continue
  test(`${id} responds to any JSON as documented`, async () => {
    let { token } = await createAccount(main)
    let wrongPasswords = 0
    const state = expectedProblem[id]
    const { path = {} } = await validRequest(main, id, await account, { fails: true })
    await fc.assert(
      fc.asyncProperty(valueFor(body.schema), async (value) => {
        const { status } = await call(main, id, {
          token: Object.keys(path).length > 0 ? (await account).token : token,
          path,
          body: value,
          ...(state && { expect: state }),
        })
        if (status === 403) wrongPasswords++
        // The token was revoked, or the next wrong password would be throttled.
        if ((id === 'logoutUser' && status === 200) || wrongPasswords === 4) {
          token = (await createAccount(main)).token
          wrongPasswords = 0
        }
      }),
      // Use another seed for each operation, so that a login does not use a registered account.
      { ...settings, seed: settings.seed + index },
    )
  })
}

test('the WebSocket replies to any JSON as documented', async () => {
  const socket = await connect(main, await account)
  const send = contract.channel.messages.find(
    (one) => one.from === 'client' && !one.schema.required?.includes('event'),
  )
  await fc.assert(
    fc.asyncProperty(valueFor(send?.schema ?? {}), async (value) => {
      const reused = typeof value === 'object' && value !== null && 'idempotencyKey' in value
      const frame = reused ? { ...value, idempotencyKey: crypto.randomUUID() } : value
      const toRoom = isValidRoom((value as { room?: unknown } | null)?.room)
      await socket.turn(JSON.stringify(frame), toRoom ? 'not-found' : undefined)
    }),
    settings,
  )
  socket.close()
})
