import type { TSchema } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { once } from '../once.ts'

/** Decides whether values match a schema. */
export interface Validator {
  readonly schema: TSchema
  check(value: unknown): boolean
}

type Check = (value: unknown) => boolean

/**
 * Compiles a schema. For an object with `additionalProperties: false`, this function checks the names of the properties
 * itself: the code that TypeBox generates for them is slower (docs/decisions/validators.md).
 */
function compile(schema: TSchema): Check {
  if (schema.type !== 'object' || schema.additionalProperties !== false) {
    const compiled = TypeCompiler.Compile(schema)
    return (value) => compiled.Check(value)
  }
  const { additionalProperties, ...open } = schema
  const compiled = TypeCompiler.Compile(open as TSchema)
  const names = new Set(Object.keys(schema.properties))
  return (value) => {
    if (!compiled.Check(value)) return false
    for (const name of Object.keys(value as object)) if (!names.has(name)) return false
    return true
  }
}

/**
 * Creates a validator whose schema is created and compiled when it is first used. Doing so for all of them would
 * delay each start, and nothing is found out by it: `bun run generate` has already refused what a validator would
 * not enforce.
 */
export function createValidator(createSchema: () => TSchema): Validator {
  const schema = once(createSchema)
  let check: Check | undefined
  return {
    get schema() {
      return schema()
    },
    check(value) {
      check ??= compile(schema())
      return check(value)
    },
  }
}
