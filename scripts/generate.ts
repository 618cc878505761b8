// Writes the static types of both documents: `bun run generate`. With --check it writes nothing and
// fails where the committed file is out of step.
import openapiTS, { astToString } from 'openapi-typescript'
import packageJson from '../package.json'
import { asyncapi, openapi, written } from '../src/contract/documents.ts'

const target = new URL('../src/contract/types.gen.ts', import.meta.url)

type Written = { components: { schemas: object } }

/** Both documents' schemas in one, since AsyncAPI has no generator of its own. */
function merge(): object {
  const asyncSchemas = JSON.stringify((written.asyncapi as Written).components.schemas)
  const ours = JSON.parse(asyncSchemas.replaceAll('./openapi.yaml#', '#')) as object
  const { components } = written.openapi as Written
  return { ...written.openapi, components: { ...components, schemas: { ...components.schemas, ...ours } } }
}

const union = (names: readonly string[]) => names.map((name) => `'${name}'`).join(' | ')

async function generate(): Promise<string> {
  const types = astToString(await openapiTS(JSON.stringify(merge()), { defaultNonNullable: false }))
  const operations = Object.entries(openapi.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId }]) => ({ path, method, operationId })),
  )
  const policies = new Set([
    ...Object.values(openapi.paths).flatMap((methods) =>
      Object.values(methods).map((operation) => operation['x-rate-limit'].policy),
    ),
    asyncapi.channels.chat['x-rate-limit'].policy,
  ])
  return [
    '// Written by `bun run generate` from spec/openapi.yaml and spec/asyncapi.yaml. Do not edit.',
    '',
    types.trim(),
    '',
    '/** The status of each problem code. */',
    'export interface ProblemStatus {',
    ...Object.entries(openapi['x-problems']).map(([code, { status }]) => `    '${code}': ${status};`),
    '}',
    '',
    '/** The path and the method of each operation. */',
    'export interface OperationRoutes {',
    ...operations.map(
      ({ operationId, path, method }) => `    ${operationId}: { path: '${path}'; method: '${method}' };`,
    ),
    '}',
    '',
    `export type RateLimitPolicyName = ${union([...policies])};`,
    '',
    `export type CloseCodeName = ${union(Object.keys(asyncapi.channels.chat['x-close-codes']))};`,
    '',
  ].join('\n')
}

const faults: string[] = []
const text = await generate()
if (process.argv.includes('--check')) {
  const committed = await Bun.file(target).text()
  if (committed !== text) faults.push('src/contract/types.gen.ts is out of step: run `bun run generate`')
} else {
  await Bun.write(target, text)
}
for (const [name, document] of Object.entries(written)) {
  const { version } = (document as { info: { version: string } }).info
  if (version !== packageJson.version) {
    faults.push(`spec/${name}.yaml is of version ${version}, package.json of ${packageJson.version}`)
  }
}
for (const fault of faults) console.error(fault)
process.exit(faults.length === 0 ? 0 : 1)
