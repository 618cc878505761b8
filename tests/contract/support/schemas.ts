import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { Schema } from './contract.ts'
import type { Json } from './documents.ts'

/** A schema violation: the violated keyword, and the JSON pointer that a problem has to report. */
export interface Violation {
  keyword: string
  pointer: string
  text: string
}

const ajv = new Ajv2020({ allErrors: true, strictTypes: false, strictRequired: false })
addFormats.default(ajv)
// The members of an open set are checked by the coverage and by the examples of each response.
ajv.addVocabulary(['x-extensible-enum'])

const compiled = new WeakMap<Schema, ValidateFunction>()
/** Caches by schema text: the mutation run loads each document hundreds of times, with one change each. */
const byText = new Map<string, ValidateFunction>()

/** All violations of a schema by a value. An empty array means that the value is valid. */
export function violationsOf(schema: Schema, value: unknown): Violation[] {
  let validate = compiled.get(schema)
  if (!validate) {
    const text = JSON.stringify(schema)
    validate = byText.get(text) ?? ajv.compile(schema)
    byText.set(text, validate)
    compiled.set(schema, validate)
  }
  return validate(value) ? [] : (validate.errors ?? []).map(toViolation)
}

function toViolation(error: ErrorObject): Violation {
  const name: string | undefined = error.params.missingProperty ?? error.params.additionalProperty
  const pointer = name === undefined ? error.instancePath : `${error.instancePath}/${escapeToken(name)}`
  return { keyword: error.keyword, pointer, text: `${pointer || 'the value'} ${error.message}` }
}

function escapeToken(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}

/** A schema and its `allOf` and `anyOf` subschemas, recursively. */
export function branchesOf(schema: Schema): Schema[] {
  return [schema, ...(schema.allOf ?? []).flatMap(branchesOf), ...(schema.anyOf ?? []).flatMap(branchesOf)]
}

/**
 * Whether a value matches an example. Values have to be equal, except that a `readOnly` value, which the
 * server generates, only has to satisfy its schema. `names` maps strings of the example to allowed
 * replacements, for a stand-in user.
 */
export function matchesExample(
  schema: Schema | undefined,
  example: Json,
  value: Json | undefined,
  names: Record<string, string> = {},
): boolean {
  if (value === undefined) return false
  const branches = schema ? branchesOf(schema) : []
  const generated = branches.some(
    (branch) =>
      branch.readOnly &&
      violationsOf(branch, example).length === 0 &&
      violationsOf(branch, value).length === 0,
  )
  if (generated) return true
  if (Array.isArray(example)) {
    const items = branches.find((branch) => branch.items)?.items
    return (
      Array.isArray(value) &&
      value.length === example.length &&
      example.every((item, index) => matchesExample(items, item, value[index], names))
    )
  }
  if (typeof example === 'object' && example !== null) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
    if (Object.keys(example).sort().join('\n') !== Object.keys(value).sort().join('\n')) return false
    return Object.entries(example).every(([name, member]) => {
      const property = branches.find((branch) => branch.properties?.[name])?.properties?.[name]
      return matchesExample(property, member, value[name], names)
    })
  }
  return value === example || (typeof example === 'string' && value === names[example])
}
