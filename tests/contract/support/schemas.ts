import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { Schema } from './contract.ts'
import type { Json } from './documents.ts'

/** What a value breaks: the keyword, and the JSON pointer that a problem has to name. */
export interface Fault {
  keyword: string
  pointer: string
  text: string
}

const ajv = new Ajv2020({ allErrors: true, strictTypes: false, strictRequired: false })
addFormats.default(ajv)

const compiled = new WeakMap<Schema, ValidateFunction>()
/** The mutation run reads a document hundreds of times; what it did not change compiles once. */
const byText = new Map<string, ValidateFunction>()

/** Every fault of a value under a schema; none means that it is valid. */
export function faultsOf(schema: Schema, value: unknown): Fault[] {
  let validate = compiled.get(schema)
  if (!validate) {
    const text = JSON.stringify(schema)
    validate = byText.get(text) ?? ajv.compile(schema)
    byText.set(text, validate)
    compiled.set(schema, validate)
  }
  return validate(value) ? [] : (validate.errors ?? []).map(toFault)
}

function toFault(error: ErrorObject): Fault {
  const name: string | undefined = error.params.missingProperty ?? error.params.additionalProperty
  const pointer = name === undefined ? error.instancePath : `${error.instancePath}/${escapeToken(name)}`
  return { keyword: error.keyword, pointer, text: `${pointer || 'the whole'} ${error.message}` }
}

function escapeToken(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}

/** A schema and all that apply to the same value with it. */
export function branchesOf(schema: Schema): Schema[] {
  return [schema, ...(schema.allOf ?? []).flatMap(branchesOf), ...(schema.anyOf ?? []).flatMap(branchesOf)]
}

/**
 * Whether a value is what an example says: literally, except where the server chooses (`readOnly`),
 * which the schema holds. `names` replaces words of the example, for a user who stands in.
 */
export function matchesExample(
  schema: Schema | undefined,
  example: Json,
  value: Json | undefined,
  names: Record<string, string> = {},
): boolean {
  if (value === undefined) return false
  const branches = schema ? branchesOf(schema) : []
  const chosen = branches.some(
    (branch) =>
      branch.readOnly && faultsOf(branch, example).length === 0 && faultsOf(branch, value).length === 0,
  )
  if (chosen) return true
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
