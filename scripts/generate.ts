// `bun run generate` writes the static types of both documents for the service, and types and values for the
// client. With --check, nothing is written, and the command fails if a committed file is out of date.
import clientPackageJson from '../client/package.json'
import packageJson from '../package.json'
import type { OperationObject } from '../src/contract/documents.ts'
import { asyncapi, openapi, sources } from '../src/contract/full-documents.ts'
import { renderClientContract } from './generate-client.ts'
import { renderDocuments } from './generate-documents.ts'
import { mergedDocument, problemCodes, typesOf, union } from './generate-shared.ts'

const successHeaders = ({ responses }: OperationObject) =>
  Object.entries(responses).find(([status]) => status.startsWith('2'))?.[1].headers ?? {}

/** The pipeline supplies constant headers and those that every operation has; the handler supplies the rest. */
function replyHeaders(operation: OperationObject): string[] {
  const all = Object.values(openapi.paths).flatMap((methods) => Object.values(methods))
  return Object.entries(successHeaders(operation)).flatMap(([name, { schema }]) =>
    'const' in schema || all.every((each) => name in successHeaders(each)) ? [] : [name],
  )
}

async function renderServiceTypes(): Promise<string> {
  const types = await typesOf(mergedDocument())
  const queryDefaults = Object.values(openapi.paths)
    .flatMap((methods) => Object.values(methods))
    .flatMap(({ operationId, parameters = [] }) => {
      const names = parameters.filter((each) => each.in === 'query' && 'default' in each.schema)
      return names.length > 0 ? [{ operationId, names: names.map(({ name }) => name) }] : []
    })
  const all = Object.values(openapi.paths).flatMap((methods) => Object.values(methods))
  return [
    '// Written by `bun run generate` from spec/openapi.yaml and spec/asyncapi.yaml. Do not edit.',
    '',
    types,
    '',
    '/** The status of each problem code. */',
    'export interface ProblemStatus {',
    ...Object.entries(openapi['x-problems']).map(([code, { status }]) => `    '${code}': ${status};`),
    '}',
    '',
    '/** The codes that explain why the service is not, or not completely, ready. */',
    `export type ReadinessCode = ${union(Object.keys(openapi['x-readiness']))};`,
    '',
    '/** The problem codes of each operation, from the examples of its responses. */',
    'export interface OperationProblems {',
    ...all.map((operation) => `    ${operation.operationId}: ${union(problemCodes(operation))};`),
    '}',
    '',
    '/** The headers of each success response that the handler supplies. */',
    'export interface ReplyHeaders {',
    ...all.flatMap((operation) => {
      const names = replyHeaders(operation)
      return names.length > 0 ? [`    ${operation.operationId}: ${union(names)};`] : []
    }),
    '}',
    '',
    '/** The query parameters of each operation that have a default. */',
    'export interface QueryDefaults {',
    ...queryDefaults.map(
      ({ operationId, names }) =>
        `    ${operationId}: { ${names.map((name) => `${name}: true`).join('; ')} };`,
    ),
    '}',
    '',
    `export type CloseCodeName = ${union(Object.keys(asyncapi.channels.chat['x-close-codes']))};`,
    '',
  ].join('\n')
}

/** The service creates a validator at its first use, which must not be the first to find an unsupported keyword. */
async function findUnsupportedKeyword(): Promise<string | undefined> {
  // Imported now, because they read the file that was just written.
  const { allOperations } = await import('../src/contract/operations.ts')
  const { clientFrames, connectQuery } = await import('../src/contract/frames.ts')
  const ofOperations = allOperations.flatMap(({ pathParameters, query, headers, body, success }) => [
    ...[pathParameters, query, headers, body].flatMap((validator) => validator ?? []),
    success,
  ])
  try {
    // Reading the property creates the schema.
    for (const validator of [...ofOperations, ...clientFrames().values(), connectQuery]) validator.schema
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

const files: Readonly<Record<string, () => Promise<string>>> = {
  'src/contract/types.gen.ts': renderServiceTypes,
  'src/contract/documents.gen.json': async () => renderDocuments(),
  'client/src/contract.gen.ts': renderClientContract,
}

const faults: string[] = []
for (const [path, render] of Object.entries(files)) {
  const file = Bun.file(new URL(`../${path}`, import.meta.url))
  const text = await render()
  if (!process.argv.includes('--check')) await Bun.write(file, text)
  else if (!(await file.exists()) || (await file.text()) !== text) {
    faults.push(`${path} is out of date: run \`bun run generate\``)
  }
}
const unsupported = await findUnsupportedKeyword()
if (unsupported !== undefined) faults.push(unsupported)
if (clientPackageJson.version !== packageJson.version) {
  faults.push(
    `client/package.json has version ${clientPackageJson.version}, package.json has ${packageJson.version}`,
  )
}
for (const [name, document] of Object.entries(sources)) {
  const { version } = (document as { info: { version: string } }).info
  if (version !== packageJson.version) {
    faults.push(`spec/${name}.yaml has version ${version}, package.json has ${packageJson.version}`)
  }
}
for (const fault of faults) console.error(fault)
process.exit(faults.length === 0 ? 0 : 1)
