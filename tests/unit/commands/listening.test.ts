import { expect, test } from 'bun:test'
import { openapi } from '../../../src/contract/documents.ts'
import { startChild } from '../support/child.ts'
import { temporaryFolder } from '../support/service.ts'

test('the first line of the log has the versions of the service and of Bun', async () => {
  await using folder = await temporaryFolder()
  await using service = await startChild({ environment: { DATA_DIR: folder.path } })
  const line = JSON.parse(await service.waitFor(/"listening"/)) as object
  expect(line).toMatchObject({ url: service.url, version: openapi.info.version, bun: Bun.version })
  await service.stop()
})
