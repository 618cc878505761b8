import { Kind, type TSchema, TypeRegistry } from '@sinclair/typebox'
import type { JsonSchema } from './documents.ts'

/**
 * A string as JSON Schema 2020-12 constrains it. TypeBox's own string counts UTF-16 units, compiles
 * patterns without Unicode mode and takes the 30th of February for a date, hence a kind of our own.
 */
export const stringKind = 'JsonSchemaString'

export const stringKeywords = ['minLength', 'maxLength', 'pattern', 'format'] as const

const daysInMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** RFC 3339, section 5.6; a leap second is taken at 23:59 UTC only. */
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

/** The formats that the documents use. `password` is a hint for forms and constrains nothing. */
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

type FindBrokenKeyword = (text: string) => (typeof stringKeywords)[number] | undefined

/** Finds the first keyword of `schema` that a text breaks, or undefined. */
function createBrokenKeywordFinder(schema: JsonSchema): FindBrokenKeyword {
  const minimum = (schema.minLength as number | undefined) ?? 0
  const maximum = (schema.maxLength as number | undefined) ?? Number.POSITIVE_INFINITY
  const pattern = schema.pattern === undefined ? undefined : compilePattern(schema.pattern as string)
  const hasFormat =
    schema.format === undefined ? undefined : (formats[schema.format as string] ?? (() => false))
  return (text) => {
    // A code point is one or two UTF-16 units, so most strings need no counting.
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

const finders = new WeakMap<JsonSchema, FindBrokenKeyword>()

/** The first keyword that `text` breaks, or undefined. */
export function brokenKeyword(schema: JsonSchema, text: string): ReturnType<FindBrokenKeyword> {
  let find = finders.get(schema)
  if (!find) {
    find = createBrokenKeywordFinder(schema)
    finders.set(schema, find)
  }
  return find(text)
}

/** ECMA-262 in Unicode mode, as JSON Schema recommends. */
export const compilePattern = (source: string) => new RegExp(source, 'u')

TypeRegistry.Set<TSchema>(
  stringKind,
  (schema, value) => typeof value === 'string' && brokenKeyword(schema as JsonSchema, value) === undefined,
)

export const createString = (schema: JsonSchema): TSchema =>
  ({
    [Kind]: stringKind,
    type: 'string',
    ...Object.fromEntries(stringKeywords.flatMap((k) => (schema[k] === undefined ? [] : [[k, schema[k]]]))),
  }) as unknown as TSchema
