import type { TSchema } from '@sinclair/typebox'
import { type TypeCheck, TypeCompiler } from '@sinclair/typebox/compiler'

/** Decides whether values match a schema. */
export interface Validator {
  readonly schema: TSchema
  check(value: unknown): boolean
}

/**
 * Creates a validator that is compiled at its first check. Compiling all of them would delay each start, and
 * nothing is found out by it: `toTypeBox` has already refused what a validator would not enforce.
 */
export function createValidator(schema: TSchema): Validator {
  let compiled: TypeCheck<TSchema> | undefined
  return {
    schema,
    check(value) {
      compiled ??= TypeCompiler.Compile(schema)
      return compiled.Check(value)
    },
  }
}
