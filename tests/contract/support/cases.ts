import type { Schema } from './contract.ts'
import type { Json } from './documents.ts'
import { branchesOf } from './schemas.ts'

/** A value that violates one constraint of a schema, or lies exactly on a bound. */
export interface Case {
  name: string
  value: { [name: string]: Json } | Json
  accepted: boolean
}

type Members = { [name: string]: Json }

/**
 * Derives test cases from an object schema: each required property missing, each type changed, each
 * bound reached and exceeded by one, each pattern violated, and an unknown property added.
 *
 * @param text whether the values are sent as text, as in a query
 */
export function casesOf(schema: Schema, text = false): Case[] {
  const cases: Case[] = []
  const properties = Object.entries(schema.properties ?? {})
  const required = schema.required ?? []
  const base = (): Members =>
    Object.fromEntries(
      properties.filter(([name]) => required.includes(name)).map(([name, one]) => [name, validValue(one)]),
    )
  const reject = (name: string, value: Json) => cases.push({ name, value, accepted: false })

  if (!text)
    for (const value of [null, 5, 'text', [], [base()]])
      reject(`${JSON.stringify(value)} for an object`, value)
  for (const name of required) {
    const { [name]: _, ...rest } = base()
    reject(`without ${name}`, rest)
  }
  if (schema.additionalProperties === false) {
    for (const name of ['unknown', '__proto__', 'a/b~c']) {
      reject(
        `with ${name}`,
        JSON.parse(`{"${name}":"x",${JSON.stringify(base()).slice(1)}`.replace(',}', '}')),
      )
    }
  }
  for (const [name, property] of properties) {
    for (const [what, value, accepted] of propertyCases(property, text)) {
      cases.push({ name: `${name}: ${what}`, value: { ...base(), [name]: value }, accepted })
    }
  }
  return cases
}

type PropertyCase = [what: string, value: Json, accepted: boolean]

function* propertyCases(property: Schema, text: boolean): Generator<PropertyCase> {
  const schema = Object.assign({}, ...branchesOf(property)) as Schema
  const { type, minLength = 0, maxLength, minimum, maximum, pattern } = schema
  if (!text) {
    for (const value of [null, true, 5, 'text', {}, ['text']]) {
      const same =
        (Array.isArray(value) ? 'array' : typeof value) === type ||
        (type === 'integer' && typeof value === 'number')
      if (!same) yield [`${JSON.stringify(value)} for a ${type}`, value, false]
    }
  }
  if (schema.const !== undefined) yield ['another constant', `${schema.const}x`, false]
  if (schema.enum !== undefined) yield ['another member', 'another-member', false]
  if (schema.items && schema.maxItems !== undefined) {
    const items = Array.from({ length: schema.maxItems + 1 }, () => validValue(schema.items as Schema))
    yield [`${items.length} items`, items, false]
  }
  if (type === 'integer') {
    const encode = (value: number) => (text ? String(value) : value)
    if (minimum !== undefined) yield ['at the minimum', encode(minimum), true]
    if (minimum !== undefined) yield ['below the minimum', encode(minimum - 1), false]
    if (maximum !== undefined) yield ['at the maximum', encode(maximum), true]
    if (maximum !== undefined) yield ['above the maximum', encode(maximum + 1), false]
    if (text)
      for (const value of ['x', '1.5', '']) yield [`${value || 'an empty string'} for a number`, value, false]
  }
  if (type !== 'string' || schema.const !== undefined || schema.enum !== undefined) return
  for (const [kind, letter] of [
    ['letters', undefined],
    ['characters outside the BMP', '😀'],
  ] as const) {
    if (letter !== undefined && pattern && !new RegExp(pattern, 'u').test(letter)) continue
    if (minLength > 0) yield [`${minLength} ${kind}`, stringOf(minLength, letter), true]
    if (minLength > 0) yield [`${minLength - 1} ${kind}`, stringOf(minLength - 1, letter), false]
    if (maxLength !== undefined) yield [`${maxLength} ${kind}`, stringOf(maxLength, letter), true]
    if (maxLength !== undefined) yield [`${maxLength + 1} ${kind}`, stringOf(maxLength + 1, letter), false]
  }
  if (!pattern) return
  for (const bad of [' ', 'é', '\u0000', '\u{1f600}', '\ud800', '\udfff', 'ａ', '/']) {
    const value = stringOf(Math.max(minLength, 4), undefined) + bad
    if (!new RegExp(pattern, 'u').test(value))
      yield [`the pattern violated by ${JSON.stringify(bad)}`, value, false]
  }
}

function validValue(schema: Schema): Json {
  if (schema.const !== undefined) return schema.const
  if (schema.enum?.[0] !== undefined) return schema.enum[0]
  return schema.type === 'integer'
    ? (schema.minimum ?? 0)
    : stringOf(Math.max(schema.minLength ?? 0, 8), undefined)
}

/** A string of `length` code points: one letter repeated, or random letters, so that usernames are unused. */
function stringOf(length: number, letter: string | undefined): string {
  if (letter !== undefined) return letter.repeat(length)
  const letters = 'abcdefghijklmnopqrstuvwxyz0123456789'
  return Array.from(
    crypto.getRandomValues(new Uint8Array(length)),
    (byte) => letters[byte % letters.length],
  ).join('')
}
