import { describe, expect, test } from 'bun:test'
import { version } from '../../../package.json'
import { asyncapi, openapi, written } from '../../../src/contract/documents.ts'
import { allOperations, supportedVersions } from '../../../src/contract/operations.ts'
import { startService } from '../support/service.ts'

const entries = openapi['x-problems']

/** Every object of either document that is a problem by its `code` and `title`. */
function problemsWithin(value: unknown): Record<string, unknown>[] {
  if (typeof value !== 'object' || value === null) return []
  const within = Object.values(value).flatMap(problemsWithin)
  const candidate = value as Record<string, unknown>
  return typeof candidate.code === 'string' ? [candidate, ...within] : within
}

test('the routes are the operations, the channel and the service paths', async () => {
  await using service = await startService()
  const routes = service.app.routes
    .filter(({ method }) => method !== 'HEAD' && method !== 'OPTIONS')
    .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`)
  const documented = new Set([
    ...allOperations.map(({ method, path }) => `${method} ${path}`),
    `GET ${asyncapi.channels.chat.address}`,
    ...Object.keys(openapi['x-service-paths']).map((path) => `GET ${path}`),
  ])
  expect(new Set(routes)).toEqual(documented)
  expect(routes).toHaveLength(documented.size)
})

test('the codes of the Problem schema are those of the catalogue', () => {
  expect(openapi.components.schemas.ProblemCode?.enum).toEqual(Object.keys(entries))
})

describe('each example of a problem agrees with the catalogue', () => {
  const examples = [...problemsWithin(written.openapi), ...problemsWithin(written.asyncapi)]

  test('there is one of every code', () => {
    expect(new Set(examples.map(({ code }) => code))).toEqual(new Set(Object.keys(entries)))
  })

  for (const [index, example] of examples.entries()) {
    test(`${example.code}, example ${index}`, () => {
      const { status, title, detail } = entries[String(example.code)] ?? {}
      expect(example).toMatchObject({ type: `/problems/${example.code}`, status, title, detail })
    })
  }
})

test('the version is one: of the package, of both documents, and its first number in the headers', () => {
  expect(openapi.info.version).toBe(version)
  expect((written.asyncapi as { info: { version: string } }).info.version).toBe(version)
  expect(supportedVersions).toEqual([version.split('.')[0] as string])
  expect(openapi.components.headers['API-Version']?.schema.const).toBe(version.split('.')[0])
  expect(asyncapi.channels.chat['x-subprotocol']).toBe(`parley.v${version.split('.')[0]}`)
})

test('a socket may carry as much as a body', () => {
  expect(asyncapi.channels.chat['x-max-frame-bytes']).toBe(openapi['x-limits']['request-body-bytes'])
})
