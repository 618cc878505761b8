import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { connect } from '../unit/support/chat-client.ts'
import { startChild } from '../unit/support/child.ts'
import { bearer, temporaryFolder } from '../unit/support/service.ts'
import { runbook } from './support/files.ts'

/** The commands of the runbook, in their order. */
const commands = [...runbook.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, command = '']) => command)

/** The output of a command, with its numbers of lines in front. */
async function run(command: string, cwd: string): Promise<string> {
  const child = Bun.spawn(['sh', '-ec', command], { cwd, stdin: 'ignore', stdout: 'pipe', stderr: 'inherit' })
  const output = await new Response(child.stdout).text()
  expect(await child.exited).toBe(0)
  return output.replaceAll(/^ +/gm, '')
}

test('the commands of the runbook find in the log of a service what they promise', async () => {
  const [readiness = '', save = '', errors = '', causes = '', logins = '', closed = '', ...others] = commands
  expect(others).toEqual([])
  await using folder = await temporaryFolder()
  const file = join(folder.path, 'parley.log')
  await using service = await startChild({
    environment: { DATA_DIR: join(folder.path, 'data'), RATE_LIMITS: 'off', DRAIN_SECONDS: '0' },
  })
  const post = (path: string, body: object, headers = {}) =>
    fetch(service.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  const credentials = { username: 'someone', password: 'correct horse battery staple' }
  const registered = (await (await post('/api/auth/register', credentials)).json()) as {
    user: { id: string }
  }
  const { token } = (await (await post('/api/auth/login', credentials)).json()) as { token: string }
  for (let failed = 0; failed < 2; failed++)
    await post('/api/auth/login', { ...credentials, password: 'guess' })
  for (let count = 0; count < 2; count++) await (await connect(service.url, token)).close()
  expect(await run(readiness.replace('http://127.0.0.1:3000', service.url), folder.path)).toContain(' 200 ')

  // Another program holds the lock, and then the files are gone.
  const lock = Bun.spawn(
    [
      process.execPath,
      '-e',
      `new (require('bun:sqlite').Database)('data/parley.sqlite').run('begin immediate'); console.log('locked'); await Bun.stdin.text()`,
    ],
    { cwd: folder.path, stdin: 'pipe', stdout: 'pipe' },
  )
  await lock.stdout.getReader().read()
  expect((await post('/api/chats/send', { message: 'Hello' }, bearer(token))).status).toBe(503)
  lock.kill()
  await lock.exited
  await run('rm data/parley.sqlite', folder.path)
  expect((await post('/api/chats/send', { message: 'Hello' }, bearer(token))).status).toBe(503)

  expect(save).toStartWith('journalctl --unit parley ')
  await Bun.write(file, await service.stop())
  expect(await run(errors, folder.path)).toMatch(/^\{"level":60,.*\}\n$/)
  expect(await run(causes, folder.path)).toContain('"code":"SQLITE_BUSY')
  expect(await run(logins, folder.path)).toBe('3 "client":"127.0.0.1"\n')
  expect(await run(closed, folder.path)).toBe(`2 "user":"${registered.user.id}"\n`)
})
