import { expect, test } from 'bun:test'
import { startConnectionSweep } from '../../../src/chats/connection-sweep.ts'
import type { Validity } from '../../../src/http/gate.ts'

/** Connections by the name of their user, and the names of those that have been closed. */
function openConnections(names: readonly string[], expiresAt = Number.POSITIVE_INFINITY) {
  const closed: string[] = []
  const sockets = names.map((name) => ({ data: { identity: { user: { username: name }, expiresAt } } }))
  const connections = {
    values: () => sockets[Symbol.iterator](),
    closeAfterPending: (socket: (typeof sockets)[number], code: string) =>
      void closed.push(`${socket.data.identity.user.username}: ${code}`),
  }
  return { closed, connections: connections as never }
}

type Validate = (identity: { user: { username: string } }) => Validity | Promise<Validity>

for (const [name, fail] of [
  [
    'thrown',
    () => {
      throw new Error('SQLITE_CORRUPT')
    },
  ],
  ['rejected', () => Promise.reject(new Error('SQLITE_CORRUPT'))],
] as [string, () => never][]) {
  test(`an error of the storage that is ${name} is reported, and the sweep continues with the next account`, async () => {
    const { closed, connections } = openConnections(['failing', 'removed'])
    const { promise: swept, resolve } = Promise.withResolvers<void>()
    const errors: unknown[] = []
    const validate: Validate = ({ user }) => {
      if (user.username === 'failing' && errors.length === 0) return fail()
      if (user.username !== 'removed') return 'valid'
      resolve()
      return 'account-removed'
    }
    const sweep = startConnectionSweep({
      connections,
      authenticator: { validate, accountsVersion: () => 1 } as never,
      onError: (error) => void errors.push(error),
    })
    await swept
    await Bun.sleep(1)
    sweep.stop()
    expect(errors).toEqual([expect.objectContaining({ message: 'SQLITE_CORRUPT' })])
    expect(closed).toEqual(['removed: account-removed'])
  })
}

test('an error does not keep expired connections open', async () => {
  const { closed, connections } = openConnections(['expired'], 1)
  const { promise: swept, resolve } = Promise.withResolvers<void>()
  const sweep = startConnectionSweep({
    connections,
    authenticator: {
      validate: () => {
        throw new Error('SQLITE_CORRUPT')
      },
      accountsVersion: () => 1,
    },
    onError: () => resolve(),
  })
  await swept
  sweep.stop()
  expect(closed).toEqual(['expired: token-expired'])
})

test('accounts are checked again only after a change, and after a failed check', async () => {
  const { connections } = openConnections(['one', 'two'])
  let version = 1
  let checks = 0
  let fails = true
  const validate: Validate = () => {
    checks++
    if (!fails) return 'valid'
    fails = false
    throw new Error('SQLITE_CORRUPT')
  }
  const authenticator = { validate, accountsVersion: () => version } as never
  const sweep = startConnectionSweep({ connections, authenticator, onError() {} })
  const checksAfter = async (expected: number) => {
    while (checks < expected) await Bun.sleep(5)
    // Longer than two sweeps take.
    await Bun.sleep(1200)
    return checks
  }
  // The failed check, the rest of its round, and a complete round.
  expect(await checksAfter(4)).toBe(4)
  version++
  expect(await checksAfter(6)).toBe(6)
  sweep.stop()
}, 300_000)
