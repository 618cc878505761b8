import { afterAll, beforeAll, expect, test } from 'bun:test'
import { resolve } from 'node:path'
import { type LiveService, serviceUnderTest } from './live-service.ts'

const project = resolve(import.meta.dirname, '../..')
const password = 'correct horse battery staple'
let service: LiveService

beforeAll(async () => {
  service = await serviceUnderTest()
})
afterAll(() => service.stop())

/** A username that no other run has used. */
const newUsername = () => `example-${crypto.randomUUID().slice(0, 18)}`

async function register(username: string): Promise<void> {
  const response = await fetch(`${service.url}/api/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username, password }),
  })
  if (response.status !== 201) throw new Error(await response.text())
}

/** Runs an example as a reader would, and returns its output. */
async function run(command: readonly string[], username: string): Promise<string> {
  const child = Bun.spawn([...command], {
    cwd: project,
    env: { ...process.env, BASE_URL: service.url, PARLEY_USERNAME: username, PARLEY_PASSWORD: password },
    // Kept open without data, like a terminal: wscat exits at the end of its input.
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
    timeout: 20_000,
  })
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  const exitCode = await child.exited
  if (exitCode !== 0) throw new Error(`${command.join(' ')} exited with ${exitCode}:\n${stdout}${stderr}`)
  return stdout
}

test('the curl example registers, logs in, reads the profile, sends a message and finds it in the history', async () => {
  const username = newUsername()
  const responses = (await run(['bash', 'examples/curl.sh'], username)).trim().split('\n')
  const [registered, profile, sent, page] = responses.map((response) => JSON.parse(response))
  expect(registered).toMatchObject({ user: { username } })
  expect(profile).toEqual({ user: registered.user })
  expect(sent).toEqual({ message: 'Message sent successfully' })
  expect(page.messages).toContainEqual(
    expect.objectContaining({ message: 'Hello, world!', user: profile.user }),
  )
})

test('the curl example continues if the user already exists', async () => {
  const username = newUsername()
  await register(username)
  const [refused, profile] = (await run(['bash', 'examples/curl.sh'], username)).trim().split('\n')
  expect(JSON.parse(refused ?? '')).toMatchObject({ code: 'username-taken' })
  expect(JSON.parse(profile ?? '')).toMatchObject({ user: { username } })
})

test('the wscat example sends a message and prints the frame that every client receives', async () => {
  const username = newUsername()
  await register(username)
  const frames = (await run(['bash', 'examples/wscat.sh'], username)).trim().split('\n')
  const message = frames.map((frame) => JSON.parse(frame)).find(({ user }) => user.username === username)
  expect(message).toMatchObject({ event: 'message', message: 'Hello, world!' })
})
