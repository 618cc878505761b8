import { expect, test } from 'bun:test'
import { connect } from '../support/chat-client.ts'
import { bearer, outcome, type Service, startService, untilNoticed } from '../support/service.ts'

type Remove = (service: Service, id: string) => unknown

const removals: [string, Remove][] = [
  ['this process', ({ storage }, id) => storage.users.remove(id, { eraseMessages: false })],
  [
    'another program',
    async ({ openFile }, id) => {
      using file = openFile()
      file.run('delete from users where id = ?', [id])
      await untilNoticed()
    },
  ],
]

for (const [remover, remove] of removals) {
  test(`once ${remover} has removed an account, its cached token is invalid and its socket is closed`, async () => {
    await using service = await startService()
    const [removed, kept] = [await service.account('removed'), await service.account('kept')]
    const [client, other] = [
      await connect(service.url, removed.token),
      await connect(service.url, kept.token),
    ]
    // The second request of each is served from the cache of identities.
    for (const { token } of [removed, kept, removed, kept]) {
      expect((await service.get('/api/users/profile', token)).status).toBe(200)
    }
    await remove(service, removed.user.id)
    expect(await outcome(service.get('/api/users/profile', removed.token))).toEqual([401, 'invalid-token'])
    const sent = service.post('/api/chats/send', { message: 'Hello' }, bearer(removed.token))
    expect(await outcome(sent)).toEqual([401, 'invalid-token'])
    expect((await service.get('/api/users/profile', kept.token)).status).toBe(200)
    expect(await client.closed).toEqual({ code: 3000, reason: 'account-removed' })
    other.send({ message: 'the first message' })
    expect((await other.next()).message).toBe('the first message')
    await other.close()
  })
}

test('a cached token stays valid when this process replaces the hash of an unchanged password', async () => {
  await using service = await startService()
  const { user, token } = await service.account('someone')
  expect((await service.get('/api/users/profile', token)).status).toBe(200)
  expect(await service.storage.users.rehash(user.id, { from: 'no hash', to: 'new hash' })).toBe(true)
  expect((await service.get('/api/users/profile', token)).status).toBe(200)
})
