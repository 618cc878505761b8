/**
 * Checks the documents and the service with third-party tools: `bun run test:witness`. Parsers and linters
 * read the documents, clients generated from them use the service, and the traffic of the contract suite
 * is compared with openapi.yaml.
 */
import { startServer, stopServer } from '../contract/support/server.ts'
import { checkDocuments } from './documents.ts'
import { checkGeneratedClients } from './generated-clients.ts'
import { createChecks, installTools } from './tools.ts'
import { checkTraffic } from './traffic.ts'

await installTools()
const { check, counts } = createChecks()
await checkDocuments(check)
const service = await startServer('witnessed')
try {
  await checkGeneratedClients(check, service.url)
  await checkTraffic(check, service.url)
} finally {
  await stopServer(service)
}
console.log(`${counts.passed} passed, ${counts.failed} failed`)
process.exit(counts.failed === 0 ? 0 : 1)
