import { Database } from 'bun:sqlite'
import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { connect } from '../support/chat-client.ts'
import { startChild } from '../support/child.ts'
import { bearer, temporaryFolder } from '../support/service.ts'

const password = 'a password that must not be disclosed'
const message = 'a message that must not be disclosed'

/** Texts that no response may contain: stacks, source paths, SQL, table names and texts of thrown values. */
const forbidden = [
  /\bat .+:\d+:\d+/,
  /node_modules|\/src\/|\.ts\b|file:\/\//,
  /select |insert |update |sqlite|no such table|password_hash|drizzle/i,
  /planted/i,
]

async function request(url: string, path: string, token: string, body?: object) {
  const response = await fetch(url + path, {
    method: body ? 'POST' : 'GET',
    headers: { 'content-type': 'application/json', ...bearer(token) },
    ...(body && { body: JSON.stringify(body) }),
  })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

async function logIn(url: string): Promise<string> {
  const account = { username: 'someone', password }
  await request(url, '/api/auth/register', '', account)
  const { text } = await request(url, '/api/auth/login', '', account)
  return (JSON.parse(text) as { token: string }).token
}

function expectNoDisclosure(text: string, ...secrets: string[]): void {
  for (const pattern of forbidden) expect(text).not.toMatch(pattern)
  for (const each of secrets) expect(text).not.toContain(each)
}

function expectInternalError({ status, headers, text }: Awaited<ReturnType<typeof request>>, token: string) {
  expect([status, headers.get('content-type')]).toEqual([500, 'application/problem+json'])
  const problem = JSON.parse(text) as Record<string, unknown>
  expect(Object.keys(problem).sort()).toEqual([
    'code',
    'detail',
    'instance',
    'requestId',
    'status',
    'title',
    'type',
  ])
  expectNoDisclosure(text, password, token, message)
}

for (const NODE_ENV of ['development', 'production']) {
  describe(`with NODE_ENV=${NODE_ENV}`, () => {
    test('anything that the storage throws becomes an internal-error without internals', async () => {
      await using folder = await temporaryFolder()
      const program = 'tests/fixtures/faulty-service.ts'
      await using service = await startChild({ program, environment: { NODE_ENV, DATA_DIR: folder.path } })
      const token = await logIn(service.url)
      for (let round = 0; round < 6; round++) {
        expectInternalError(await request(service.url, '/api/chats/send', token, { message }), token)
        expectInternalError(await request(service.url, '/api/chats/messages', token), token)
      }
      const client = await connect(service.url, token)
      client.send({ message })
      const frame = await client.next()
      expect(frame.problem).toMatchObject({ code: 'internal-error' })
      expectNoDisclosure(JSON.stringify(frame), message, token)
      await client.close()
      const log = await service.stop()
      expect(log).toContain('internal-error')
      for (const each of [password, token, message]) expect(log).not.toContain(each)
      expect(log).not.toMatch(/\bat .+:\d+:\d+|node_modules|\/src\/|\.ts\b/)
    })

    test('a missing table becomes an internal-error without internals', async () => {
      await using folder = await temporaryFolder()
      await using service = await startChild({ environment: { NODE_ENV, DATA_DIR: folder.path } })
      const token = await logIn(service.url)
      const file = new Database(join(folder.path, 'parley.sqlite'))
      file.run('drop table messages')
      expectInternalError(await request(service.url, '/api/chats/send', token, { message }), token)
      expectInternalError(await request(service.url, '/api/chats/messages', token), token)
      const client = await connect(service.url, token)
      client.send({ message })
      expectNoDisclosure(JSON.stringify(await client.next()), message, token)
      await client.close()
      file.run('drop table users')
      file.close()
      expectInternalError(await request(service.url, '/api/users/profile', token), token)
      const account = { username: 'someone', password }
      expectInternalError(await request(service.url, '/api/auth/login', token, account), token)
      expectInternalError(await request(service.url, '/api/auth/register', token, account), token)
      expect((await request(service.url, '/livez', token)).status).toBe(200)
      const log = await service.stop()
      expect(log).toContain('internal-error')
      for (const each of [password, token, message, '$argon2id$']) expect(log).not.toContain(each)
      expect(log).not.toMatch(/\bat .+:\d+:\d+|node_modules|\/src\/|\.ts\b/)
    })
  })
}
