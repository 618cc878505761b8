import { afterAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mainFile, runCommand } from '../support/command.ts'
import { startService } from '../support/service.ts'

// Each test starts several processes, which takes longer than the default timeout on a busy machine.
setDefaultTimeout(180_000)

const service = await startService()
afterAll(() => service[Symbol.asyncDispose]())

const password = 'pässword correct horse'

/** Runs `parley` on a terminal. */
function startOnTerminal(arguments_: readonly string[]) {
  let shown = ''
  const terminal = new Bun.Terminal({
    cols: 200,
    rows: 24,
    data(_, bytes) {
      shown += new TextDecoder().decode(bytes)
    },
  })
  const child = Bun.spawn([process.execPath, mainFile, ...arguments_], {
    env: { PATH: process.env.PATH, DATA_DIR: service.dataDir, TERM: 'xterm' },
    terminal,
  })
  return {
    exited: child.exited,
    shown: () => shown,
    /** Waits until the terminal shows a text. What the command wrote last may arrive after its end. */
    async shows(text: string): Promise<void> {
      while (!shown.includes(text)) await Bun.sleep(5)
    },
    /** Waits for a question, and types an answer at once. */
    async answer(question: string, keys: string): Promise<void> {
      while (!shown.includes(question) && child.exitCode === null) await Bun.sleep(5)
      if (child.exitCode !== null) throw new Error(`It ended before it asked: ${shown}`)
      shown = shown.replace(question, '')
      terminal.write(keys)
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL')
      await child.exited
      terminal.close()
    },
  }
}

const logIn = async (username: string, secret: string) =>
  (await service.post('/api/auth/login', { username, password: secret })).status

test('a password is asked for twice, can be corrected, and is never shown', async () => {
  await using command = startOnTerminal(['users', 'add', 'typist'])
  await command.answer('Password for typist: ', 'pässwordx\x7f correct horse\r')
  await command.answer('The same password again: ', `${password}\r`)
  expect(await command.exited).toBe(0)
  await command.shows('Added typist (')
  for (const part of ['päss', 'correct', 'horse']) expect(command.shown()).not.toContain(part)
  expect(await logIn('typist', password)).toBe(200)
})

test('two different passwords change nothing', async () => {
  await using command = startOnTerminal(['users', 'set-password', 'typist'])
  await command.answer('Password for typist: ', 'another password\r')
  await command.answer('The same password again: ', 'yet another password\r')
  expect(await command.exited).toBe(1)
  await command.shows('The passwords differ. Nothing was changed.')
  expect(await logIn('typist', password)).toBe(200)
})

test('Ctrl-C ends the question with exit code 130', async () => {
  await using command = startOnTerminal(['users', 'set-password', 'typist'])
  await command.answer('Password for typist: ', 'abc\x03')
  expect(await command.exited).toBe(130)
})

test('Ctrl-D without a password changes nothing', async () => {
  await using command = startOnTerminal(['users', 'set-password', 'typist'])
  await command.answer('Password for typist: ', '\x04')
  expect(await command.exited).toBe(1)
  await command.shows('Nothing was entered.')
})

test.each([
  ['\r', 'Nothing was changed.', 'active'],
  ['no\r', 'Nothing was changed.', 'active'],
  ['y\r', 'Removed', 'removed'],
])('users remove asks for a confirmation: %j', async (keys, message, state) => {
  const username = `asked-${keys.trim() || 'empty'}`
  await service.storage.users.add(username, 'no hash')
  await using command = startOnTerminal(['users', 'remove', username])
  await command.answer(`Remove the account ${username}? This cannot be undone. [y/N]`, keys)
  expect(await command.exited).toBe(state === 'active' ? 1 : 0)
  await command.shows(message)
  const { stdout } = await runCommand(['users', 'list'], { dataDir: service.dataDir })
  expect(stdout).toMatch(new RegExp(`^${username} .* ${state}`, 'm'))
})

test('two commands at once change one account, and both succeed', async () => {
  const user = await service.storage.users.add('contested', 'no hash')
  const results = await Promise.all(
    [['logout'], ['set-password'], ['logout'], ['show']].map(([command = '']) =>
      runCommand(['users', command, 'contested'], { dataDir: service.dataDir, input: password }),
    ),
  )
  expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0, 0])
  expect((await service.storage.users.find(user?.id ?? ''))?.user.username).toBe('contested')
})
