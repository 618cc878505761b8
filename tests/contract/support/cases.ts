import type { Schema } from './contract.ts'
import type { Json } from './documents.ts'
import { branchesOf } from './schemas.ts'

/** A value that breaks one constraint of a schema, or stands on the edge of one. */
export interface Case {
  name: string
  value: { [name: string]: Json } | Json
  accepted: boolean
}

type Members = { [name: string]: Json }

/**
 * Derives the cases of an object's schema: each required property left out, each type changed, each
 * limit at its edge and one beyond, each pattern broken, and a property that does not belong there.
 */
export function casesOf(schema: Schema, text = false): Case[] {
  const cases: Case[] = []
  const properties = Object.entries(schema.properties ?? {})
  const required = schema.required ?? []
  const base = (): Members =>
    Object.fromEntries(
      properties.filter(([name]) => required.includes(name)).map(([name, one]) => [name, validValue(one)]),
    )
  const refuse = (name: string, value: Json) => cases.push({ name, value, accepted: false })

  if (!text)
    for (const value of [null, 5, 'text', [], [base()]])
      refuse(`${JSON.stringify(value)} for an object`, value)
  for (const name of required) {
    const { [name]: _, ...rest } = base()
    refuse(`without ${name}`, rest)
  }
  if (schema.additionalProperties === false) {
    for (const name of ['unknown', '__proto__', 'a/b~c']) {
      refuse(
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
      const same = typeof value === type || (type === 'integer' && typeof value === 'number')
      if (!same) yield [`${JSON.stringify(value)} for a ${type}`, value, false]
    }
  }
  if (schema.const !== undefined) yield ['another constant', `${schema.const}x`, false]
  if (type === 'integer') {
    const told = (value: number) => (text ? String(value) : value)
    if (minimum !== undefined) yield ['at the minimum', told(minimum), true]
    if (minimum !== undefined) yield ['below the minimum', told(minimum - 1), false]
    if (maximum !== undefined) yield ['at the maximum', told(maximum), true]
    if (maximum !== undefined) yield ['above the maximum', told(maximum + 1), false]
    if (text) for (const value of ['x', '1.5', '']) yield [`${value || 'nothing'} for a number`, value, false]
  }
  if (type !== 'string' || schema.const !== undefined) return
  for (const [kind, letter] of [
    ['letters', undefined],
    ['astral characters', '😀'],
  ] as const) {
    if (letter !== undefined && pattern && !new RegExp(pattern, 'u').test(letter)) continue
    if (minLength > 0) yield [`${minLength} ${kind}`, filled(minLength, letter), true]
    if (minLength > 0) yield [`${minLength - 1} ${kind}`, filled(minLength - 1, letter), false]
    if (maxLength !== undefined) yield [`${maxLength} ${kind}`, filled(maxLength, letter), true]
    if (maxLength !== undefined) yield [`${maxLength + 1} ${kind}`, filled(maxLength + 1, letter), false]
  }
  if (!pattern) return
  for (const bad of [' ', 'é', '\u0000', '\u{1f600}', '\ud800', '\udfff', 'ａ', '/']) {
    const value = filled(Math.max(minLength, 4), undefined) + bad
    if (!new RegExp(pattern, 'u').test(value))
      yield [`the pattern broken by ${JSON.stringify(bad)}`, value, false]
  }
}

function validValue(schema: Schema): Json {
  if (schema.const !== undefined) return schema.const
  return schema.type === 'integer'
    ? (schema.minimum ?? 0)
    : filled(Math.max(schema.minLength ?? 0, 8), undefined)
}

/** So many code points: of one letter, or drawn anew each time, so that a name is nobody's yet. */
function filled(length: number, letter: string | undefined): string {
  if (letter !== undefined) return letter.repeat(length)
  const letters = 'abcdefghijklmnopqrstuvwxyz0123456789'
  return Array.from(
    crypto.getRandomValues(new Uint8Array(length)),
    (byte) => letters[byte % letters.length],
  ).join('')
}
