import { validationFailed } from '../contract/problems.ts'
import type { Validator } from '../contract/validator.ts'
import { requestTarget } from './request-target.ts'

interface QueryOptions {
  readonly validator: Validator
  /** Parameters of type integer, which are parsed from decimal digits. */
  readonly integers?: ReadonlySet<string>
}

/**
 * Reads and validates the query of a request. A parameter that occurs several times becomes an array.
 *
 * @throws ProblemError validation-failed
 */
export function readQuery(request: Request, { validator, integers }: QueryOptions): Record<string, unknown> {
  // Without a prototype, so that a parameter named __proto__ is a parameter like any other.
  const values: Record<string, unknown> = Object.create(null)
  // With a question mark, because URLSearchParams removes one that is part of the first name.
  for (const [name, text] of new URLSearchParams(`?${requestTarget(request).query}`)) {
    const earlier = values[name]
    if (earlier === undefined) values[name] = text
    else if (Array.isArray(earlier)) earlier.push(text)
    else values[name] = [earlier, text]
  }
  for (const name of integers ?? []) {
    const text = values[name]
    if (typeof text === 'string' && /^-?\d{1,15}$/.test(text)) values[name] = Number(text)
  }
  if (!validator.check(values)) throw validationFailed(validator.schema, values)
  return values
}
