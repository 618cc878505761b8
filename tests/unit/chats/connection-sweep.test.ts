import { expect, test } from 'bun:test'
import { startConnectionSweep } from '../../../src/chats/connection-sweep.ts'

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

type IsCurrent = (identity: { user: { username: string } }) => boolean | Promise<boolean>

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
    const isCurrent: IsCurrent = ({ user }) => {
      if (user.username === 'failing' && errors.length === 0) return fail()
      if (user.username === 'removed') resolve()
      return user.username !== 'removed'
    }
    const sweep = startConnectionSweep({
      connections,
      authenticator: { isCurrent } as never,
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
      isCurrent: () => {
        throw new Error('SQLITE_CORRUPT')
      },
    },
    onError: () => resolve(),
  })
  await swept
  sweep.stop()
  expect(closed).toEqual(['expired: token-expired'])
})
