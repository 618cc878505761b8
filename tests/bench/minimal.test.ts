import { Database } from 'bun:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Harness, openHarness, sizes } from '../../bench/harness.ts'
import { type Parley, sourceCommand } from '../../bench/parley.ts'
import { sampleResponse, startMinimal } from '../../bench/rows/minimal.ts'
import openapi from '../../spec/openapi.yaml'

const { maxLength } = openapi.components.schemas.MessageText
const maxBodyBytes = openapi['x-limits']['request-body-bytes']

const post = ({ server, tokens }: Parley, body: string, headers: Record<string, string> = {}) =>
  fetch(`http://127.0.0.1:${server.port}/api/chats/send`, {
    method: 'POST',
    headers: { authorization: `Bearer ${tokens[0]}`, 'content-type': 'application/json', ...headers },
    body,
  })

/** Opens a socket that is ready to receive, and returns the next frame. */
async function listen({ server, tokens }: Parley) {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/`, {
    headers: { authorization: `Bearer ${tokens[1]}` },
  } as never)
  await new Promise((resolve, reject) => {
    socket.onopen = resolve
    socket.onerror = reject
  })
  return {
    next: () =>
      new Promise<Record<string, unknown>>((resolve) => {
        socket.onmessage = ({ data }) => resolve(JSON.parse(String(data)))
      }),
    send: (text: string) => socket.send(text),
    close: () => socket.close(),
  }
}

const namesOf = (headers: Record<string, string>) => Object.keys(headers).sort()

// The limits of the benchmark are those of this API only if the minimal server does what the documents require.
describe('the minimal server', () => {
  let harness: Harness
  let parley: Parley
  let minimal: Parley
  beforeAll(async () => {
    harness = await openHarness(sizes.quick, sourceCommand)
    parley = await harness.startParley()
    minimal = await startMinimal(await harness.startParley())
  })
  afterAll(async () => {
    await Promise.all([parley.stop(), minimal.stop()])
    await harness.removeFiles()
  })

  test.each([
    ['a read', '/api/users/profile', undefined],
    ['a send', '/api/chats/send', '{"message":"Hello"}'],
  ])('responds to %s like this server', async (_, path, body) => {
    const [ours, its] = [await sampleResponse(parley, path, body), await sampleResponse(minimal, path, body)]
    expect(namesOf(its.headers)).toEqual(namesOf(ours.headers))
    expect(its.headers['ratelimit-policy']).toBe(ours.headers['ratelimit-policy'] ?? '')
    expect(its.headers.ratelimit).toMatch(/^"\w+";r=\d+;t=\d+$/)
    expect(Object.keys(JSON.parse(its.text))).toEqual(Object.keys(JSON.parse(ours.text)))
  })

  test('delivers the same frame, and stores it first', async () => {
    const frames: Record<string, unknown>[] = []
    for (const each of [parley, minimal]) {
      const socket = await listen(each)
      const byHttp = socket.next()
      const { headers } = await post(each, '{"message":"by HTTP"}')
      const frame = await byHttp
      expect(headers.get('content-location')).toBe(`/api/chats/messages/${frame.id}`)
      const bySocket = socket.next()
      socket.send('{"message":"by socket"}')
      frames.push(frame, await bySocket)
      socket.close()
    }
    const [ours, , its, second] = frames as [object, object, object, object]
    expect(Object.keys(its)).toEqual(Object.keys(ours))
    expect([its, second]).toMatchObject([{ message: 'by HTTP' }, { message: 'by socket' }])
    using database = new Database(minimal.databaseFile, { readonly: true })
    const stored = database.query('select frame from messages order by sequence desc limit 2').values()
    expect(stored.flat().map((frame) => JSON.parse(String(frame)))).toEqual([second, its])
  })

  test.each([
    ['another token', '{"message":"Hello"}', { authorization: 'Bearer none' }],
    ['another media type', '{"message":"Hello"}', { 'content-type': 'text/plain' }],
    ['a body that is not JSON', '{"message":', {}],
    ['an unknown property', '{"message":"Hello","other":1}', {}],
    ['an empty message', '{"message":""}', {}],
    ['a message that is too long', JSON.stringify({ message: 'a'.repeat(maxLength + 1) }), {}],
    ['a body that is too long', '{"message":"Hello"}'.padEnd(maxBodyBytes + 1), {}],
    ['another content coding', '{"message":"Hello"}', { 'content-encoding': 'gzip' }],
    ['half a surrogate pair', String.raw`{"message":"\ud800"}`, {}],
  ])('refuses %s', async (_, body, headers) => {
    expect((await post(minimal, body, headers)).ok).toBe(false)
  })

  test('refuses the token of an account that another process has removed', async () => {
    using database = new Database(minimal.databaseFile)
    database.run('pragma busy_timeout = 5000')
    database.run(
      'update users set removed_at = 1 where id = (select user_id from messages order by sequence desc limit 1)',
    )
    await Bun.sleep(2)
    const responses = await Promise.all(
      minimal.tokens.map((token) =>
        post(minimal, '{"message":"Hello"}', { authorization: `Bearer ${token}` }),
      ),
    )
    expect(responses.filter(({ ok }) => !ok)).toHaveLength(1)
  })
})
