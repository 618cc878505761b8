import { Kind, type TSchema } from '@sinclair/typebox'
import { type ValueError, ValueErrorType } from '@sinclair/typebox/errors'
import { Value } from '@sinclair/typebox/value'
import type { JsonSchema } from './documents.ts'
import { stringKind, violatedKeyword } from './strings.ts'
import type { components } from './types.gen.ts'

export type ValidationError = components['schemas']['ValidationError']

/** A hostile body can cause thousands of errors; a person reads a few. */
const maxErrors = 20

/** Characters of a name in a pointer. */
const maxNameLength = 64

const count = (n: unknown, noun: string) => `${n} ${noun}${n === 1 ? '' : 's'}`

function explainString(schema: JsonSchema, value: unknown): string {
  if (typeof value !== 'string') return 'must be a string'
  switch (violatedKeyword(schema, value)) {
    case 'minLength':
      return `must have at least ${count(schema.minLength, 'character')}`
    case 'maxLength':
      return `must have at most ${count(schema.maxLength, 'character')}`
    case 'pattern':
      return `must match ${schema.pattern}`
    default:
      return `must be a ${schema.format}`
  }
}

function literals(schema: TSchema): unknown[] {
  if (schema[Kind] === 'Literal') return [schema.const]
  return schema[Kind] === 'Union' ? (schema.anyOf as TSchema[]).flatMap(literals) : []
}

function explain(type: ValueErrorType, schema: TSchema, value: unknown): string {
  if (schema[Kind] === stringKind && type !== ValueErrorType.ObjectRequiredProperty) {
    return explainString(schema, value)
  }
  switch (type) {
    case ValueErrorType.ObjectRequiredProperty:
      return 'is required'
    case ValueErrorType.ObjectAdditionalProperties:
      return 'is not a known property'
    case ValueErrorType.IntegerMinimum:
    case ValueErrorType.NumberMinimum:
      return `must be at least ${schema.minimum}`
    case ValueErrorType.IntegerMaximum:
    case ValueErrorType.NumberMaximum:
      return `must be at most ${schema.maximum}`
    case ValueErrorType.ArrayMinItems:
      return `must have at least ${count(schema.minItems, 'item')}`
    case ValueErrorType.ArrayMaxItems:
      return `must have at most ${count(schema.maxItems, 'item')}`
    case ValueErrorType.Literal:
    case ValueErrorType.Union: {
      const values = literals(schema)
      if (values.length > 0) return `must be ${values.map((each) => JSON.stringify(each)).join(' or ')}`
      return 'has none of the allowed forms'
    }
    case ValueErrorType.Object:
      return 'must be an object'
    case ValueErrorType.Boolean:
      return 'must be a boolean'
    case ValueErrorType.Integer:
      return 'must be an integer'
    default:
      return `must be of type ${schema.type}`
  }
}

/**
 * Shortens the names in a pointer, because a client chooses the name of an unknown property. The result is
 * a JSON pointer as well: no escape sequence and no surrogate pair is divided.
 */
const shortenPointer = (pointer: string) =>
  pointer
    .split('/')
    .map((name) =>
      name.length > maxNameLength
        ? `${name.slice(0, maxNameLength).replace(/(?:~|[\ud800-\udbff])$/, '')}\u2026`
        : name,
    )
    .join('/')

function toValidationError({ type, schema, path, value }: ValueError): ValidationError {
  const pointer = shortenPointer(path)
  const detail = explain(type, schema, value)
  return { pointer, detail: pointer === path ? detail : `${detail} (the pointer is shortened)` }
}

/**
 * Explains where and how `value` violates `schema`: the first error of each location, at most twenty.
 * No detail repeats the value, which may be a password.
 */
export function explainErrors(schema: TSchema, value: unknown): ValidationError[] {
  const errors = new Map<string, ValidationError>()
  for (const error of Value.Errors(schema, value)) {
    if (errors.has(error.path)) continue
    errors.set(error.path, toValidationError(error))
    if (errors.size === maxErrors) break
  }
  return [...errors.values()]
}
