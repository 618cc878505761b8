import type { TSchema } from '@sinclair/typebox'
import type { TypeCheck } from '@sinclair/typebox/compiler'
import { validationFailed } from '../contract/problems.ts'

interface QueryOptions {
  readonly check: TypeCheck<TSchema>
  /** Parameters of type integer, which are parsed from decimal digits. */
  readonly integers?: ReadonlySet<string>
}

/**
 * Reads and validates the query of a request. A parameter that occurs several times becomes an array.
 *
 * @throws ProblemError validation-failed
 */
export function readQuery(request: Request, { check, integers }: QueryOptions): Record<string, unknown> {
  // Without a prototype, so that a parameter named __proto__ is a parameter like any other.
  const values: Record<string, unknown> = Object.create(null)
  const { searchParams } = new URL(request.url)
  for (const name of new Set(searchParams.keys())) {
    const all = searchParams.getAll(name)
    const [text = ''] = all
    const isInteger = integers?.has(name) && /^-?\d{1,15}$/.test(text)
    values[name] = all.length > 1 ? all : isInteger ? Number(text) : text
  }
  if (!check.Check(values)) throw validationFailed(check.Schema(), values)
  return values
}
