import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { connect } from '../support/chat-client.ts'
import { failureOf, mainFile, runCommand, runJson } from '../support/command.ts'
import { bearer, outcome, startService } from '../support/service.ts'

// Each test starts several processes, which takes longer than the default timeout on a busy machine.
setDefaultTimeout(180_000)

const service = await startService({ REGISTRATION: 'closed' })
afterAll(() => service[Symbol.asyncDispose]())

const { dataDir } = service
const password = 'correct horse battery staple'
let count = 0
const newName = () => `person-${++count}`

interface UserOutput {
  readonly id: string
  readonly username: string
  readonly createdAt: string
  readonly tokensValidFrom: string | null
  readonly removedAt: string | null
}

async function logIn(username: string, secret = password): Promise<string> {
  const response = await service.post('/api/auth/login', { username, password: secret })
  const { token } = (await response.json()) as { token?: string }
  return token ?? `status ${response.status}`
}

const profile = (token: string) => outcome(service.get('/api/users/profile', token))
const send = (token: string, message: string) => service.post('/api/chats/send', { message }, bearer(token))

/** An account that the command has added, a token that the service has cached, and an open WebSocket. */
async function addConnected() {
  const username = newName()
  const user = await runJson<UserOutput>(['users', 'add', username], { dataDir, input: `${password}\n` })
  const token = await logIn(username)
  expect(await profile(token)).toEqual([200, undefined])
  return { username, user, token, socket: await connect(service.url, token) }
}

test('a user whose name starts with a hyphen is named after --', async () => {
  for (const username of ['-ada', '--yes', '--help']) {
    const add = await runCommand(['users', 'add', '--json', '--', username], {
      dataDir,
      input: `${password}\n`,
    })
    expect(JSON.parse(add.stdout)).toMatchObject({ username })
    const show = await runCommand(['users', 'show', '--json', '--', username], { dataDir })
    expect(JSON.parse(show.stdout)).toMatchObject({ username })
  }
  const hint = 'A name that starts with a hyphen comes after "--"'
  for (const misunderstood of [
    ['users', 'show', '-ada'],
    ['users', 'remove', '--yes'],
    ['rooms', 'set-owner', 'an-id', '-ada'],
  ]) {
    const { exitCode, stderr } = await runCommand(misunderstood, { dataDir })
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(hint)])
  }
  expect((await runCommand(['backup', '--forse'], { dataDir })).stderr).not.toContain(hint)
})

async function historyOf(token: string): Promise<{ id: string; message: string }[]> {
  const response = await service.get('/api/chats/messages', token)
  return ((await response.json()) as { messages: { id: string; message: string }[] }).messages
}

describe('users add', () => {
  test('adds an account that can log in, while registration is closed', async () => {
    const username = newName()
    const { exitCode, stdout, stderr } = await runCommand(['users', 'add', username], {
      dataDir,
      input: `${password}\r\n`,
    })
    expect([exitCode, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(new RegExp(`^Added ${username} \\([0-9a-f-]{36}\\)\\.\\n$`))
    expect(await profile(await logIn(username))).toEqual([200, undefined])
  })

  test.each([
    [
      'a username that is taken, in another letter case',
      'TAKEN',
      password,
      /^The username TAKEN is taken\.$/,
    ],
    ['a short username', 'ab', password, /^The username must have at least 3 characters\.$/],
    ['an invalid username', 'a b c', password, /^The username must match /],
    ['a short password', 'short', '1234567', /^The password must have at least 8 characters\.$/],
    ['no password', 'none', '', /^The password must have at least 8 characters\.$/],
    ['a common password', 'common', 'password1', /^The password is too common/],
    ['the username as password', 'same-as-password', 'Same-As-Password', /^The password is too common/],
    ['two lines', 'two-lines', `${password}\n${password}`, /^Standard input must be one line/],
  ])('refuses %s', async (_, username, input, message) => {
    await service.storage.users.add('taken', 'no hash')
    expect(await failureOf(['users', 'add', username], { dataDir, input })).toMatch(message)
    if (username !== 'TAKEN') expect(await service.storage.users.isTaken(username)).toBe(false)
  })

  test('refuses the username of a removed account', async () => {
    const username = newName()
    const user = await service.storage.users.add(username, 'no hash')
    await service.storage.users.remove(user?.id ?? '', { eraseMessages: false })
    expect(await failureOf(['users', 'add', username], { dataDir, input: password })).toBe(
      `The username ${username} is taken.`,
    )
  })

  test('of two commands that add the same username, one succeeds', async () => {
    const username = newName()
    const options = { dataDir, input: password }
    const results = await Promise.all([1, 2].map(() => runCommand(['users', 'add', username], options)))
    expect(results.map(({ exitCode }) => exitCode).sort()).toEqual([0, 1])
    expect(results.map(({ stderr }) => stderr).join('')).toBe(`The username ${username} is taken.\n`)
  })
})

describe('users list and users show', () => {
  test('show active and removed accounts, and no hash', async () => {
    const [active, removed] = [newName(), newName()]
    const user = await service.storage.users.add(active, 'a-hash-that-is-secret')
    const other = await service.storage.users.add(removed, 'a-hash-that-is-secret')
    await service.storage.users.remove(other?.id ?? '', { eraseMessages: false })

    const list = await runJson<UserOutput[]>(['users', 'list'], { dataDir })
    const usernames = list.map(({ username }) => username.toLowerCase())
    expect(usernames).toEqual([...usernames].sort())
    const shown = await runJson<UserOutput>(['users', 'show', active.toUpperCase()], { dataDir })
    expect(list).toContainEqual(shown)
    expect(shown).toEqual({
      id: user?.id ?? '',
      username: active,
      createdAt: new Date(Date.parse(shown.createdAt)).toISOString(),
      tokensValidFrom: null,
      removedAt: null,
    })
    expect(list.find(({ username }) => username === removed)?.removedAt).toMatch(/^\d{4}-.*Z$/)

    const text = (await runCommand(['users', 'list'], { dataDir })).stdout
    expect(text).toMatch(new RegExp(`^${active} +${user?.id} +\\S+ +active$`, 'm'))
    expect(text).toMatch(new RegExp(`^${removed} +\\S+ +\\S+ +removed \\S+$`, 'm'))
    expect(text + (await runCommand(['users', 'show', removed], { dataDir })).stdout).not.toContain('secret')
  })

  test('a list of several pages is complete', async () => {
    await using other = await startService()
    using file = other.openFile()
    const insert = file.prepare(
      'insert into users (id, username, password_hash, created_at) values (?, ?, ?, 0)',
    )
    file.transaction(() => {
      for (let index = 0; index < 5001; index++) insert.run(`id-${index}`, `User-${index}`, 'no hash')
    })()
    const options = { dataDir: other.dataDir }
    const { stdout } = await runCommand(['users', 'list', '--json'], options)
    const names = (JSON.parse(stdout) as UserOutput[]).map(({ username }) => username)
    expect(new Set(names).size).toBe(5001)
    // A reader that goes away, such as `head`, is no error.
    const pipeline = Bun.spawn(
      ['sh', '-c', '"$@" | true', 'sh', process.execPath, mainFile, 'users', 'list'],
      {
        env: { PATH: process.env.PATH, DATA_DIR: other.dataDir },
        stderr: 'pipe',
      },
    )
    expect(await new Response(pipeline.stderr).text()).toBe('')
  })

  test('users show refuses an unknown username', async () => {
    expect(await failureOf(['users', 'show', 'nobody-has-this'], { dataDir })).toBe(
      'No account has the username "nobody-has-this".',
    )
  })
})

describe('the running service notices within a second', () => {
  test('users logout: cached tokens and WebSockets end, and the password remains', async () => {
    const { username, token, socket } = await addConnected()
    const { stdout } = await runCommand(['users', 'logout', username], { dataDir })
    expect(stdout).toBe(`Revoked all tokens of ${username}.\n`)
    expect(await profile(token)).toEqual([401, 'invalid-token'])
    expect(await socket.closed).toEqual({ code: 3000, reason: 'logged-out' })
    expect(await profile(await logIn(username))).toEqual([200, undefined])
  })

  test('users set-password: only the new password works', async () => {
    const { username, token, socket } = await addConnected()
    const newPassword = 'another correct horse battery staple'
    const { stdout, stderr } = await runCommand(['users', 'set-password', username], {
      dataDir,
      input: newPassword,
    })
    expect([stdout, stderr]).toEqual([`Changed the password of ${username} and revoked all tokens.\n`, ''])
    expect(await profile(token)).toEqual([401, 'invalid-token'])
    expect(await socket.closed).toEqual({ code: 3000, reason: 'logged-out' })
    expect(await logIn(username)).toBe('status 401')
    expect(await profile(await logIn(username, newPassword))).toEqual([200, undefined])
  })

  test('users remove: the account is gone, and its messages remain', async () => {
    const { username, token, socket } = await addConnected()
    const { token: reader } = await service.account(newName())
    await send(token, 'a message that remains')
    const { stdout } = await runCommand(['users', 'remove', username, '--yes'], { dataDir })
    expect(stdout).toBe(`Removed ${username}.\n`)
    expect(await profile(token)).toEqual([401, 'invalid-token'])
    expect(await socket.closed).toEqual({ code: 3000, reason: 'account-removed' })
    expect(await logIn(username)).toBe('status 401')
    expect((await historyOf(reader)).map(({ message }) => message)).toContain('a message that remains')
  })

  test('users remove --erase-messages: no message remains, also of a user who is sending', async () => {
    const { username, token } = await addConnected()
    const { token: reader } = await service.account(newName())
    await send(reader, 'a message of another user')
    let sending = true
    const sender = (async () => {
      let stored = 0
      while (sending) if ((await send(token, 'to be erased')).status === 200) stored++
      return stored
    })()
    const removed = await runJson<{ erasedMessages: number }>(
      ['users', 'remove', username, '--erase-messages', '--yes'],
      { dataDir },
    )
    sending = false
    const stored = await sender
    expect(stored).toBeGreaterThan(0)
    expect(removed.erasedMessages).toBe(stored)
    const messages = (await historyOf(reader)).map(({ message }) => message)
    expect(messages).not.toContain('to be erased')
    expect(messages).toContain('a message of another user')
  })
})

describe('users remove', () => {
  test('asks for --yes if it cannot ask on a terminal', async () => {
    const { username, token } = await addConnected()
    expect(await failureOf(['users', 'remove', username], { dataDir, input: 'y\n' })).toStartWith(
      'Confirm with --yes',
    )
    expect(await profile(token)).toEqual([200, undefined])
  })

  test('erases the messages of an account that was removed before', async () => {
    const { username, token } = await addConnected()
    const { token: reader } = await service.account(newName())
    await send(token, 'left behind')
    await runCommand(['users', 'remove', username, '--yes'], { dataDir })
    expect(await failureOf(['users', 'remove', username, '--yes'], { dataDir })).toBe(
      `The account ${username} was removed already.`,
    )
    const arguments_ = ['users', 'remove', username, '--yes', '--erase-messages']
    expect(await runJson<object>(arguments_, { dataDir })).toMatchObject({ username, erasedMessages: 1 })
    expect((await historyOf(reader)).map(({ message }) => message)).not.toContain('left behind')
  })

  test.each([['logout'], ['set-password']])('users %s refuses a removed account', async (command) => {
    const username = newName()
    const user = await service.storage.users.add(username, 'no hash')
    await service.storage.users.remove(user?.id ?? '', { eraseMessages: false })
    expect(await failureOf(['users', command, username], { dataDir, input: password })).toBe(
      `The account ${username} was removed.`,
    )
  })
})

describe('messages remove', () => {
  test('removes messages from the history of the running service, and reports unknown ids', async () => {
    const { token } = await service.account(newName())
    for (const text of ['first', 'second', 'third']) await send(token, `${text} of the removal`)
    const messages = (await historyOf(token)).filter(({ message }) => message.endsWith('of the removal'))
    const [first, second] = messages.map(({ id }) => id)
    const { stdout } = await runCommand(['messages', 'remove', String(first)], { dataDir })
    expect(stdout).toBe('Removed 1 message.\n')
    const again = await runCommand(['messages', 'remove', '--json', String(first), String(second)], {
      dataDir,
    })
    expect(again.exitCode).toBe(1)
    expect(again.stderr).toBe(`No message has the id ${first}.\n`)
    expect(JSON.parse(again.stdout)).toEqual({ removed: [second], missing: [first] })
    const left = (await historyOf(token)).map(({ message }) => message)
    expect(left.filter((message) => message.endsWith('of the removal'))).toEqual(['third of the removal'])
  })
})
