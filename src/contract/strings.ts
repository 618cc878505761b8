import { Kind, type TSchema, TypeRegistry } from '@sinclair/typebox'
import type { JsonSchema } from './documents.ts'

/**
 * The TypeBox kind for strings with the semantics of JSON Schema 2020-12. TypeBox's own string type
 * counts UTF-16 units, compiles patterns without Unicode mode and accepts the 30th of February.
 */
export const stringKind = 'JsonSchemaString'

export const stringKeywords = ['minLength', 'maxLength', 'pattern', 'format'] as const

const daysInMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** RFC 3339, section 5.6. A leap second is accepted only at 23:59 UTC. */
function isDateTime(text: string): boolean {
  const match = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|([+-])(\d\d):(\d\d))$/.exec(
    text,
  )
  if (!match) return false
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const leapDay = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 1 : 0
  if (month < 1 || month > 12 || day < 1 || day > (daysInMonth[month - 1] as number) + leapDay) return false
  const offsetHour = Number(match[8] ?? 0)
  const offsetMinute = Number(match[9] ?? 0)
  if (offsetHour > 23 || offsetMinute > 59) return false
  if (hour <= 23 && minute <= 59 && second < 60) return true
  const offset = (match[7] === '-' ? -1 : 1) * (offsetHour * 60 + offsetMinute)
  const utcMinute = (((hour * 60 + minute - offset) % 1440) + 1440) % 1440
  return second === 60 && utcMinute === 23 * 60 + 59
}

const percentEncoded = String.raw`(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})`
const uriReference = new RegExp(
  String.raw`^(?:[A-Za-z][A-Za-z0-9+\-.]*:)?(?:\/\/(?:${percentEncoded}|[\[\]])*)?(?:${percentEncoded}|\/)*(?:\?(?:${percentEncoded}|[/?])*)?(?:#(?:${percentEncoded}|[/?])*)?$`,
)

/** The formats that the documents use. `password` is a hint for forms, not a constraint. */
const formats: Record<string, (text: string) => boolean> = {
  'date-time': isDateTime,
  'json-pointer': (text) => /^(?:\/(?:[^~/]|~0|~1)*)*$/.test(text),
  password: () => true,
  uri: (text) => /^[A-Za-z][A-Za-z0-9+\-.]*:./.test(text) && uriReference.test(text),
  'uri-reference': (text) => uriReference.test(text),
  uuid: (text) => /^(?:urn:uuid:)?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(text),
}

export const isFormat = (name: unknown): name is string => typeof name === 'string' && name in formats

export function countCodePoints(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

type FindViolatedKeyword = (text: string) => (typeof stringKeywords)[number] | undefined

/** Creates a function that returns the first keyword of `schema` that a text violates, or undefined. */
function createViolatedKeywordFinder(schema: JsonSchema): FindViolatedKeyword {
  const minimum = (schema.minLength as number | undefined) ?? 0
  const maximum = (schema.maxLength as number | undefined) ?? Number.POSITIVE_INFINITY
  const pattern = schema.pattern === undefined ? undefined : compilePattern(schema.pattern as string)
  const hasFormat =
    schema.format === undefined ? undefined : (formats[schema.format as string] ?? (() => false))
  return (text) => {
    // A code point has one or two UTF-16 units, so the length of most strings decides without counting.
    if (text.length < 2 * minimum || text.length > maximum) {
      const length = countCodePoints(text)
      if (length < minimum) return 'minLength'
      if (length > maximum) return 'maxLength'
    }
    if (pattern && !pattern.test(text)) return 'pattern'
    if (hasFormat && !hasFormat(text)) return 'format'
    return undefined
  }
}

const finders = new WeakMap<JsonSchema, FindViolatedKeyword>()

/** The first keyword of `schema` that `text` violates, or undefined. */
export function violatedKeyword(schema: JsonSchema, text: string): ReturnType<FindViolatedKeyword> {
  let find = finders.get(schema)
  if (!find) {
    find = createViolatedKeywordFinder(schema)
    finders.set(schema, find)
  }
  return find(text)
}

/** Compiles an ECMA-262 pattern in Unicode mode, as JSON Schema recommends. */
export const compilePattern = (source: string) => new RegExp(source, 'u')

TypeRegistry.Set<TSchema>(
  stringKind,
  (schema, value) => typeof value === 'string' && violatedKeyword(schema as JsonSchema, value) === undefined,
)

export const createString = (schema: JsonSchema): TSchema =>
  ({
    [Kind]: stringKind,
    type: 'string',
    ...Object.fromEntries(stringKeywords.flatMap((k) => (schema[k] === undefined ? [] : [[k, schema[k]]]))),
  }) as unknown as TSchema
