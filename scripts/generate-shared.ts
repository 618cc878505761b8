// What the generated files of the service and of the client have in common.
import openapiTS, { astToString } from 'openapi-typescript'
import type { OperationObject } from '../src/contract/documents.ts'
import { sources } from '../src/contract/full-documents.ts'

type Written = { components: { schemas: object } }

/** Merges the schemas of both documents, because there is no generator for AsyncAPI. */
export function mergedDocument(): { components: { schemas: object } } {
  const asyncSchemas = JSON.stringify((sources.asyncapi as Written).components.schemas)
  const ours = JSON.parse(asyncSchemas.replaceAll('./openapi.yaml#', '#')) as object
  const { components } = sources.openapi as Written
  return { ...sources.openapi, components: { ...components, schemas: { ...components.schemas, ...ours } } }
}

/** The TypeScript types of an OpenAPI document. */
export const typesOf = async (document: object) =>
  astToString(await openapiTS(JSON.stringify(document), { defaultNonNullable: false })).trim()

export const union = (names: readonly string[]) => names.map((name) => `'${name}'`).join(' | ')

/** The problem codes of an operation, from the examples of its responses. */
export const problemCodes = ({ responses }: OperationObject): string[] => [
  ...new Set(
    Object.values(responses)
      .flatMap(({ content = {} }) => Object.values(content))
      .flatMap(({ examples = {} }) => Object.values(examples))
      .flatMap(({ value }) => (value as { code?: string }).code ?? []),
  ),
]
