import { describe, expect, test } from 'bun:test'
import { version } from '../../../package.json'
import { createApp } from '../../../src/app.ts'
import { readConfig } from '../../../src/config.ts'
import { asyncapi, openapi, sources } from '../../../src/contract/full-documents.ts'
import { allOperations, supportedVersions } from '../../../src/contract/operations.ts'
import { policyNames } from '../../../src/contract/policies.ts'
import { createLogger } from '../../../src/logger.ts'
import { openStorage } from '../../../src/open-storage.ts'
import { keys, temporaryFolder } from '../support/service.ts'

const entries = openapi['x-problems']

/** Every object in `value` with a `code`: the problems among the examples of a document. */
function problemsWithin(value: unknown): Record<string, unknown>[] {
  if (typeof value !== 'object' || value === null) return []
  const within = Object.values(value).flatMap(problemsWithin)
  const candidate = value as Record<string, unknown>
  return typeof candidate.code === 'string' ? [candidate, ...within] : within
}

type Refuse = (request: Request, server: null) => Response

/** Every route of the service, as `METHOD /path/{name}`: those of Bun's router and those of Elysia. */
async function listRoutes(): Promise<string[]> {
  await using folder = await temporaryFolder()
  const config = readConfig({ DATA_DIR: folder.path }, policyNames)
  const storage = await openStorage(config, { onError() {} })
  const logger = createLogger({ level: 'silent', write() {} })
  const { app, chat } = await createApp({ config, storage, keys, logger, isDraining: () => false })
  chat.close()
  await storage.close()
  const native = app.config.serve?.routes as Readonly<Record<string, Readonly<Record<string, Refuse>>>>
  return Object.entries(native).flatMap(([path, methods]) => {
    // No path has TRACE, so its refusal names the methods of the path.
    const allow = methods.TRACE?.(new Request('http://localhost'), null).headers.get('allow') ?? ''
    const allowed = allow.split(', ').filter((method) => method !== '' && method !== 'HEAD')
    return allowed.map((method) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`)
  })
}

test('the routes are the operations, the channel and the service paths', async () => {
  const routes = await listRoutes()
  const documented = new Set([
    ...allOperations.map(({ method, path }) => `${method} ${path}`),
    `GET ${asyncapi.channels.chat.address}`,
    ...Object.keys(openapi['x-service-paths']).map((path) => `GET ${path}`),
  ])
  expect(new Set(routes)).toEqual(documented)
  expect(routes).toHaveLength(documented.size)
})

test('the Problem schema lists the codes of the catalogue', () => {
  expect(openapi.components.schemas.ProblemCode?.['x-extensible-enum']).toEqual(Object.keys(entries))
})

describe('the examples of problems', () => {
  const examples = [...problemsWithin(sources.openapi), ...problemsWithin(sources.asyncapi)]

  test('include every code', () => {
    expect(new Set(examples.map(({ code }) => code))).toEqual(new Set(Object.keys(entries)))
  })

  for (const [index, example] of examples.entries()) {
    test(`agree with the catalogue: example ${index}, ${example.code}`, () => {
      const { status, title, detail } = entries[String(example.code)] ?? {}
      expect(example).toMatchObject({ type: `/problems/${example.code}`, status, title, detail })
    })
  }
})

test('the package and both documents have the same version, and its major number is the API version', () => {
  expect(openapi.info.version).toBe(version)
  expect((sources.asyncapi as { info: { version: string } }).info.version).toBe(version)
  expect(supportedVersions).toEqual([version.split('.')[0] as string])
  expect(openapi.components.headers['API-Version']?.schema.const).toBe(version.split('.')[0])
  expect(asyncapi.channels.chat['x-subprotocol']).toBe(`parley.v${version.split('.')[0]}`)
})

test('a frame can be as large as a request body', () => {
  expect(asyncapi.channels.chat['x-max-frame-bytes']).toBe(openapi['x-limits']['request-body-bytes'])
})
