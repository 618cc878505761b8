import fc from 'fast-check'
import type { JsonSchema } from '../../../src/contract/documents.ts'

const characters = [
  'a',
  'Z',
  '0',
  '_',
  '-',
  '.',
  '/',
  '~',
  '"',
  ' ',
  'é',
  'ſ',
  '𝄞',
  '👩‍🚀',
  '\u{d834}',
  '\u{dd1e}',
  '\0',
]

const times = [
  '2026-01-01T00:00:00.000Z',
  '2026-02-30T00:00:00.000Z',
  '2024-02-29T12:00:00.000Z',
  '2025-02-29T12:00:00.000Z',
  '1900-02-29T12:00:00.000Z',
  '2000-02-29T12:00:00.000Z',
  '2016-12-31T23:59:60.000Z',
  '2016-12-31T22:59:60.000Z',
  '2016-12-31T23:59:61.000Z',
  '2026-13-01T00:00:00.000Z',
  '2026-00-10T00:00:00.000Z',
  '2026-04-31T00:00:00.000Z',
  '2026-01-01T24:00:00.000Z',
  '2026-01-01T00:60:00.000Z',
  '2026-01-01t00:00:00.000z',
  '2026-01-01 00:00:00.000Z',
  '2026-01-01T00:00:00+01:00',
]

const byFormat: Readonly<Record<string, fc.Arbitrary<string>>> = {
  'date-time': fc.oneof(
    fc.constantFrom(...times),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  ),
  uuid: fc.oneof(
    fc.uuid(),
    fc.uuid().map((text) => text.toUpperCase()),
    fc.uuid().map((text) => `urn:uuid:${text}`),
  ),
  uri: fc.oneof(
    fc.uuid().map((text) => `urn:uuid:${text}`),
    fc
      .string({ unit: fc.constantFrom('a', '%', '0', 'f', '[', ']', ' ', '#', '?', ':', '/', '^', 'é') })
      .map((text) => `urn:uuid:${text}`),
    fc.webUrl(),
  ),
  'uri-reference': fc.oneof(
    fc
      .string({ unit: fc.constantFrom('a', 'z', '-', '%', '?', '#', '/') })
      .map((text) => `/problems/${text}`),
    fc.constantFrom('/problems/', '/problems/a-b', '//problems/a', ''),
  ),
  'json-pointer': fc
    .array(fc.constantFrom('', 'a', '~0', '~1', '~', '~2', 'é', '𝄞', '"'), { maxLength: 4 })
    .map((parts) => parts.map((part) => `/${part}`).join('')),
}

/** Strings that match `pattern`, or undefined if fast-check does not support the pattern. */
function matching(pattern: string): fc.Arbitrary<string> | undefined {
  try {
    return fc.stringMatching(new RegExp(pattern))
  } catch {
    return undefined
  }
}

function strings(schema: JsonSchema): fc.Arbitrary<unknown> {
  const {
    minLength = 0,
    maxLength = 20,
    pattern,
    format,
  } = schema as { minLength?: number; maxLength?: number; pattern?: string; format?: string }
  // Lengths at the limits, one below and one above, of characters with one and with two UTF-16 units.
  const lengths = [minLength - 1, minLength, minLength + 1, maxLength - 1, maxLength, maxLength + 1].filter(
    (each) => each >= 0,
  )
  const atLimits = fc
    .tuple(fc.constantFrom('a', '𝄞', 'é', '\u{d834}', '0'), fc.constantFrom(...lengths))
    .map(([unit, length]) => unit.repeat(length))
  const choices: fc.Arbitrary<unknown>[] = [atLimits, fc.string({ unit: fc.constantFrom(...characters) })]
  const fitting = pattern === undefined ? undefined : matching(pattern)
  if (fitting)
    choices.push(
      fitting,
      fitting.map((text) => text.slice(0, maxLength).padEnd(minLength, 'a')),
    )
  if (format !== undefined && byFormat[format]) choices.push(byFormat[format], byFormat[format])
  const literals =
    (schema.enum as string[] | undefined) ?? (schema.const === undefined ? [] : [schema.const as string])
  // Repeated, because the other generators almost never create one.
  if (literals.length > 0) for (let i = 0; i < 12; i++) choices.push(fc.constantFrom(...literals))
  return fc.oneof(...choices)
}

const numbers = ({ minimum = 0, maximum = 0 }: { minimum?: number; maximum?: number }) =>
  fc.oneof(
    fc.constantFrom(minimum - 1, minimum, minimum + 1, maximum - 1, maximum, maximum + 1, minimum + 0.5),
    fc.integer({ min: minimum, max: Math.max(minimum, maximum) }),
    fc.constantFrom(-0, 2 ** 53, 1e300, Number.POSITIVE_INFINITY),
  )

const extraNames = ['extra', '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'a/b', 'm~n', '']

/** Creates an object as JSON.parse does: `__proto__` becomes a property like any other. */
function object(members: readonly (readonly [string, unknown])[]): object {
  const result = {}
  for (const [name, value] of members) {
    Object.defineProperty(result, name, { value, enumerable: true, configurable: true, writable: true })
  }
  return result
}

/** Whether a value is valid according to the reference validator. */
export type IsGood = (schema: JsonSchema, value: unknown) => boolean

type Generate = (schema: JsonSchema) => fc.Arbitrary<unknown>

/** Creates generators of values for a schema: `good` of valid ones, `near` of valid, nearly valid and unrelated ones. */
export function createValues(isGood: IsGood): { good: Generate; near: Generate } {
  function members(schema: JsonSchema, generate: (name: string) => Generate) {
    const required = (schema.required as string[] | undefined) ?? []
    return Object.entries((schema.properties as Record<string, JsonSchema> | undefined) ?? {}).map(
      ([name, property]) => {
        const member = fc.tuple(fc.constant(name), generate(name)(property))
        return required.includes(name) ? member : fc.option(member, { nil: undefined })
      },
    )
  }
  const together = (parts: fc.Arbitrary<readonly [string, unknown] | undefined>[]) =>
    fc.tuple(...parts).map((all) => object(all.filter((each) => each !== undefined)))

  /** Valid objects except for one member, which is slightly wrong, missing or unknown. */
  function nearObjects(schema: JsonSchema): fc.Arbitrary<unknown> {
    const names = Object.keys((schema.properties as object | undefined) ?? {})
    const extra = fc.tuple(fc.constantFrom(...extraNames), fc.jsonValue({ maxDepth: 1 }))
    return fc.oneof(
      { weight: 1, arbitrary: together([...members(schema, () => good), extra]) },
      ...names.flatMap((wrong) => [
        { weight: 2, arbitrary: together(members(schema, (name) => (name === wrong ? near : good))) },
        { weight: 1, arbitrary: together(members(schema, () => good).filter((_, i) => names[i] !== wrong)) },
      ]),
    )
  }

  function arrays(schema: JsonSchema, generate: Generate): fc.Arbitrary<unknown> {
    const { minItems = 0, maxItems } = schema as { minItems?: number; maxItems?: number }
    const items = generate((schema.items as JsonSchema | undefined) ?? {})
    const few = fc.array(items, { maxLength: minItems + 2 })
    if (maxItems === undefined) return few
    const full = fc
      .tuple(items, fc.constantFrom(maxItems, maxItems + 1))
      .map(([item, length]) => Array(length).fill(item))
    return fc.oneof({ weight: 4, arbitrary: few }, { weight: 1, arbitrary: full })
  }

  function shaped(schema: JsonSchema, generate: Generate): fc.Arbitrary<unknown> {
    const branches = schema.anyOf as JsonSchema[] | undefined
    if (branches) return fc.oneof(...branches.map(generate))
    // In the documents, the first branch of allOf describes the whole value and the others constrain it.
    const parts = schema.allOf as JsonSchema[] | undefined
    if (parts) return generate(parts[0] as JsonSchema)
    switch (schema.type) {
      case 'string':
        return strings(schema)
      case 'integer':
      case 'number':
        return numbers(schema)
      case 'object':
        return generate === good ? together(members(schema, () => good)) : nearObjects(schema)
      case 'array':
        return arrays(schema, generate)
      case 'boolean':
        return fc.boolean()
      case 'null':
        return fc.constant(null)
      default:
        return fc.jsonValue()
    }
  }

  function good(schema: JsonSchema): fc.Arbitrary<unknown> {
    return shaped(schema, good).filter((value) => isGood(schema, value))
  }

  function near(schema: JsonSchema): fc.Arbitrary<unknown> {
    return fc.oneof({ weight: 24, arbitrary: shaped(schema, near) }, { weight: 1, arbitrary: anything })
  }

  return { good, near }
}

const anything = fc.oneof(
  fc.constantFrom(null, true, '', 0, 1.5, -1, 1e308, [], {}, [[]], 'constructor'),
  fc.jsonValue({ maxDepth: 2 }),
)
