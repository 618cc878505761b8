import { expect, test } from 'bun:test'
import type { OperationObject } from '../../../src/contract/documents.ts'
import { readOperations } from '../../../src/contract/operations.ts'
import { deprecationHeaders } from '../../../src/http/operation-routes.ts'
import document from '../../fixtures/deprecated-operation.yaml'
import { outcome, startService } from '../support/service.ts'

const [retired, announced, current] = readOperations(
  (document as { paths: Record<string, Record<string, OperationObject>> }).paths,
).map(deprecationHeaders)

test('a deprecated operation has the headers Deprecation, Sunset and Link', () => {
  expect(retired).toEqual({
    // 2026-01-01T00:00:00Z in seconds since the epoch (RFC 9745).
    deprecation: '@1767225600',
    sunset: 'Wed, 01 Jul 2026 00:00:00 GMT',
    link: '</swagger>; rel="deprecation"; type="text/html"',
  })
})

test('a deprecated operation without x-sunset has no Sunset header', () => {
  expect(Object.keys(announced ?? {})).toEqual(['deprecation', 'link'])
})

test('an operation that is not deprecated has none of these headers, even if it has the extensions', () => {
  expect(current).toEqual({})
})

test('API version 1 can be requested; the response to any other lists the supported versions', async () => {
  await using service = await startService()
  const { token } = await service.account('someone')
  const good = await service.get('/api/users/profile', token, { 'api-version': '1' })
  expect([good.status, good.headers.get('api-version')]).toEqual([200, '1'])
  for (const version of ['2', '01', '1.0', 'latest']) {
    const bad = await service.get('/api/users/profile', token, { 'api-version': version })
    expect(bad.headers.get('api-version')).toBe('1')
    expect(await bad.clone().json()).toMatchObject({ supportedVersions: ['1'] })
    expect(await outcome(bad)).toEqual([400, 'unsupported-api-version'])
  }
})
