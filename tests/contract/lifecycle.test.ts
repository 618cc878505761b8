import { describe, expect, test } from 'bun:test'
import { type Account, createAccount, documentedAccount, uniqueName } from './support/accounts.ts'
import { contract, operationOf } from './support/contract.ts'
import { type Call, call, idIn, rejectedHandshake } from './support/http-client.ts'
import { validRequest } from './support/requests.ts'
import { mainServer, startServer } from './support/server.ts'
import { connect } from './support/socket-client.ts'
import { setUpTestFile } from './support/test-file.ts'

setUpTestFile()
const main = await mainServer()

const newPassword = 'another correct horse battery staple'
const exampleBody = (id: string, name: string) =>
  operationOf(contract, id).body?.examples?.[name]?.value ?? null

/** Tries a token everywhere a token is accepted. It must be refused each time. */
async function expectRevoked(account: Account, token: string): Promise<void> {
  const other = await createAccount(main)
  const invalid = { token, expect: 'invalid-token' }
  for (const { id, scheme } of contract.operations) {
    if (!scheme) continue
    const { token: _, ...request } = await validRequest(main, id, other, { fails: true })
    await call(main, id, { ...request, ...invalid })
  }
  await rejectedHandshake(main, invalid)
  const { subprotocol, tokenPrefix, protocolHeader } = contract.channel
  const headers = { [protocolHeader]: `${subprotocol}, ${tokenPrefix}${token}` }
  await rejectedHandshake(main, { headers, expect: 'invalid-token' })
  const current = await logIn(account).catch(() => undefined)
  if (!current) return
  const socket = await connect(main, current)
  const frame = JSON.stringify({ event: 'authenticate', token })
  await socket.turn(frame, 'invalid-token')
  socket.close()
}

async function logIn({ username, password }: Account): Promise<Account> {
  const { body } = await call(main, 'loginUser', { body: { username, password } })
  return { username, password, token: body.token }
}

describe('the examples of the account lifecycle, verbatim', () => {
  test('the documented user changes the password, fails to delete the account, and deletes it', async () => {
    await using server = await startServer('account-lifecycle')
    const { token, username } = await documentedAccount(server)
    const attempt = (id: string, example: string, options: Call) =>
      call(server, id, { body: exampleBody(id, example), ...options })
    await attempt('changePassword', 'wrong-password', { token, expect: 'wrong-password' })
    const { body: changed } = await attempt('changePassword', 'documented', { token })
    await attempt('deleteProfile', 'wrong-password', { token: changed.token, expect: 'wrong-password' })
    const { newPassword: current, currentPassword } = exampleBody('changePassword', 'documented') as {
      newPassword: string
      currentPassword: string
    }
    const body = { currentPassword: current, newPassword: currentPassword }
    const { body: restored } = await call(server, 'changePassword', { token: changed.token, body })
    await attempt('deleteProfile', 'documented', { token: restored.token })
    await call(server, 'registerUser', {
      body: { username, password: newPassword },
      expect: 'username-taken',
    })
  })

  test('the messages of the documented user are erased with the account', async () => {
    await using server = await startServer('erased-messages')
    const { token } = await documentedAccount(server)
    const reader = await createAccount(server)
    const first = idIn(await call(server, 'sendMessage', { token: reader.token, body: { message: 'first' } }))
    const erased = idIn(await call(server, 'sendMessage', { token, body: { message: 'erased' } }))
    await call(server, 'sendMessage', { token: reader.token, body: { message: 'last' } })
    await call(server, 'sendMessage', { token, body: { message: 'erased, too' } })
    await call(server, 'deleteProfile', { token, body: exampleBody('deleteProfile', 'erase-messages') })

    await call(server, 'getMessage', { token: reader.token, path: { id: erased }, expect: 'not-found' })
    const page = (await call(server, 'listMessages', { token: reader.token })).body
    const texts = page.messages.map(({ message }: { message: string }) => message)
    expect(texts).toEqual(['first', 'last'])
    // Cursors before and after the erased messages stay valid, and a replay reports no gap.
    for (const [after, expected] of [
      [first, ['message', 'caught-up']],
      [erased, ['message', 'caught-up']],
      [page.head, ['caught-up']],
    ] as const) {
      const socket = await connect(server, { token: reader.token, after })
      const { cursor } = await socket.next(({ event }) => event === 'caught-up')
      expect(cursor).toBe(page.head)
      expect(socket.frames.map(({ event }) => event)).toEqual([...expected])
      socket.close()
    }
  })

  for (const example of Object.keys(operationOf(contract, 'logoutUser').body?.examples ?? {})) {
    test(`a logout with the example ${example}`, async () => {
      const { token } = await createAccount(main)
      await call(main, 'logoutUser', { token, body: exampleBody('logoutUser', example) })
    })
  }

  test('a placeholder is not a token, and the connection keeps its own', async () => {
    const socket = await connect(main, await createAccount(main))
    const example = contract.channel.messages.find(({ name }) => name === 'authenticate')?.examples[0]
    await socket.turn(JSON.stringify(example?.payload), 'invalid-token')
    await socket.turn(JSON.stringify({ message: uniqueName() }))
    socket.close()
  })
})

describe('a revoked token is refused everywhere', () => {
  test('after a logout, while other tokens of the user stay valid', async () => {
    const account = await createAccount(main)
    const other = await logIn(account)
    const [own, others] = [await connect(main, account), await connect(main, other)]
    await call(main, 'logoutUser', { token: account.token, body: {} })
    await own.closed('logged-out')
    await expectRevoked(account, account.token)
    await call(main, 'getProfile', { token: other.token })
    await others.turn(JSON.stringify({ message: uniqueName() }))
    others.close()
  })

  test('after a logout everywhere, also a token that was renewed from it', async () => {
    const account = await createAccount(main)
    const renewed = (await call(main, 'refreshToken', { token: account.token })).body.token
    const sockets = [
      await connect(main, account),
      await connect(main, { ...account, token: renewed, by: 'subprotocol' as const }),
    ]
    await call(main, 'logoutUser', { token: account.token, body: { everywhere: true } })
    for (const socket of sockets) await socket.closed('logged-out')
    await expectRevoked(account, account.token)
    await expectRevoked(account, renewed)
    await call(main, 'getProfile', { token: (await logIn(account)).token })
  })

  test('after a password change, which returns the only valid one', async () => {
    const account = await createAccount(main)
    const other = await logIn(account)
    const socket = await connect(main, other)
    const body = { currentPassword: account.password, newPassword }
    const changed = await call(main, 'changePassword', { token: account.token, body })
    await socket.closed('logged-out')
    const current = { ...account, password: newPassword, token: changed.body.token }
    await expectRevoked(current, account.token)
    await expectRevoked(current, other.token)
    await call(main, 'getProfile', { token: current.token })
    await call(main, 'loginUser', {
      body: { username: account.username, password: account.password },
      expect: 'invalid-credentials',
    })
  })

  test('after the deletion of its account, whose username nobody can take over', async () => {
    const account = await createAccount(main)
    const socket = await connect(main, account)
    await call(main, 'deleteProfile', { token: account.token, body: { password: account.password } })
    await socket.closed('account-removed')
    await call(main, 'loginUser', {
      body: { username: account.username, password: account.password },
      expect: 'invalid-credentials',
    })
    for (const username of [account.username, account.username.toUpperCase()]) {
      await call(main, 'registerUser', {
        body: { username, password: newPassword },
        expect: 'username-taken',
      })
    }
    const token = account.token
    await call(main, 'getProfile', { token, expect: 'invalid-token' })
    await rejectedHandshake(main, { token, expect: 'invalid-token' })
  })
})

test('a stolen token does not suffice to delete an account or to change its password', async () => {
  const account = await createAccount(main)
  const { token } = account
  await call(main, 'deleteProfile', { token, body: {} })
  await call(main, 'deleteProfile', { token, body: { password: '' }, expect: 'wrong-password' })
  const body = { currentPassword: 'a guess', newPassword }
  await call(main, 'changePassword', { token, body, expect: 'wrong-password' })
  await logIn(account)
})

test('a new password may be neither common nor the username', async () => {
  const { token, password, username } = await createAccount(main)
  for (const common of [username, username.toUpperCase(), 'password1']) {
    const body = { currentPassword: password, newPassword: common }
    const { body: problem } = await call(main, 'changePassword', {
      token,
      body,
      expect: 'password-too-common',
    })
    expect(problem.errors).toEqual([{ pointer: '/newPassword', detail: 'is too common' }])
  }
})

test('the header Token-Expires-At of each new token names the time in the token', async () => {
  const account = await createAccount(main)
  const { username, password, token } = account
  const change = { currentPassword: password, newPassword }
  const responses = [
    await call(main, 'loginUser', { body: { username, password } }),
    await call(main, 'refreshToken', { token }),
    await call(main, 'changePassword', { token, body: change }),
  ]
  for (const { headers, body } of responses) {
    const [, payload = ''] = body.token.split('.')
    const { exp } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { exp: number }
    expect(Date.parse(headers['token-expires-at'] ?? '')).toBe(exp * 1000)
  }
})

test('a connection is extended by a token of the same user, and by no other', async () => {
  await using server = await startServer('brief-tokens', { TOKEN_TTL_SECONDS: '5' })
  const [account, other] = [await createAccount(server), await createAccount(server)]
  const [extended, refused] = [await connect(server, account), await connect(server, other)]
  const authenticate = (token: string) => JSON.stringify({ event: 'authenticate', token })
  await Bun.sleep(1100)
  const renewed = await call(server, 'refreshToken', { token: account.token })
  await refused.turn(authenticate(renewed.body.token), 'user-mismatch')
  const { expiresAt } = await extended.turn(authenticate(renewed.body.token))
  expect(expiresAt).toBe(renewed.headers['token-expires-at'])
  await refused.closed('token-expired')
  await extended.turn(JSON.stringify({ message: 'still here' }))
  await extended.closed('token-expired')
}, 300_000)

test('a session that is too old cannot be renewed, but its token stays valid', async () => {
  await using server = await startServer('no-renewal', { SESSION_MAX_DAYS: '0' })
  const { token } = await createAccount(server)
  await call(server, 'refreshToken', { token, expect: 'session-expired' })
  await call(server, 'getProfile', { token })
})

test('while the registration is closed, nobody can register', async () => {
  await using server = await startServer('closed-registration', { REGISTRATION: 'closed' })
  const body = { username: uniqueName(), password: newPassword }
  await call(server, 'registerUser', { body, expect: 'registration-closed' })
})
