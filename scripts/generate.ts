// `bun run generate` writes the static types of both documents. With --check, nothing is written, and the
// command fails if the committed file is out of date.
import openapiTS, { astToString } from 'openapi-typescript'
import packageJson from '../package.json'
import { asyncapi, type OperationObject, openapi, sources } from '../src/contract/documents.ts'

const target = new URL('../src/contract/types.gen.ts', import.meta.url)

type Written = { components: { schemas: object } }

/** Merges the schemas of both documents, because there is no generator for AsyncAPI. */
function merge(): object {
  const asyncSchemas = JSON.stringify((sources.asyncapi as Written).components.schemas)
  const ours = JSON.parse(asyncSchemas.replaceAll('./openapi.yaml#', '#')) as object
  const { components } = sources.openapi as Written
  return { ...sources.openapi, components: { ...components, schemas: { ...components.schemas, ...ours } } }
}

const union = (names: readonly string[]) => names.map((name) => `'${name}'`).join(' | ')

const problemCodes = ({ responses }: OperationObject): string[] => [
  ...new Set(
    Object.values(responses)
      .flatMap(({ content = {} }) => Object.values(content))
      .flatMap(({ examples = {} }) => Object.values(examples))
      .flatMap(({ value }) => (value as { code?: string }).code ?? []),
  ),
]

const successHeaders = ({ responses }: OperationObject) =>
  Object.entries(responses).find(([status]) => status.startsWith('2'))?.[1].headers ?? {}

/** The pipeline supplies constant headers and those that every operation has; the handler supplies the rest. */
function replyHeaders(operation: OperationObject): string[] {
  const all = Object.values(openapi.paths).flatMap((methods) => Object.values(methods))
  return Object.entries(successHeaders(operation)).flatMap(([name, { schema }]) =>
    'const' in schema || all.every((each) => name in successHeaders(each)) ? [] : [name],
  )
}

async function generate(): Promise<string> {
  const types = astToString(await openapiTS(JSON.stringify(merge()), { defaultNonNullable: false }))
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
    types.trim(),
    '',
    '/** The status of each problem code. */',
    'export interface ProblemStatus {',
    ...Object.entries(openapi['x-problems']).map(([code, { status }]) => `    '${code}': ${status};`),
    '}',
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

const faults: string[] = []
const text = await generate()
if (process.argv.includes('--check')) {
  const committed = await Bun.file(target).text()
  if (committed !== text) faults.push('src/contract/types.gen.ts is out of date: run `bun run generate`')
} else {
  await Bun.write(target, text)
}
for (const [name, document] of Object.entries(sources)) {
  const { version } = (document as { info: { version: string } }).info
  if (version !== packageJson.version) {
    faults.push(`spec/${name}.yaml has version ${version}, package.json has ${packageJson.version}`)
  }
}
for (const fault of faults) console.error(fault)
process.exit(faults.length === 0 ? 0 : 1)
