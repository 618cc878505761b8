import { describe, expect, test } from 'bun:test'
import { explainErrors } from '../../../src/contract/explain.ts'
import { toTypeBox } from '../../../src/contract/schema.ts'
import { createValidator } from '../../../src/contract/validator.ts'

const at = 'openapi.yaml#/components/schemas/Thing'
const accepts = (schema: Record<string, unknown>, value: unknown) =>
  createValidator(() => toTypeBox(schema, at)).check(value)

describe('an unsupported keyword is an error that names its location', () => {
  const object = (property: object) => ({ type: 'object', properties: { inner: property } })
  const refused: [string, Record<string, unknown>, string][] = [
    ['multipleOf', { type: 'integer', multipleOf: 5 }, '/multipleOf'],
    ['exclusiveMinimum', { type: 'number', exclusiveMinimum: 0 }, '/exclusiveMinimum'],
    ['patternProperties', { type: 'object', patternProperties: { '^x-': {} } }, '/patternProperties'],
    ['propertyNames', { type: 'object', propertyNames: { maxLength: 3 } }, '/propertyNames'],
    ['dependentRequired', { type: 'object', dependentRequired: { a: ['b'] } }, '/dependentRequired'],
    [
      'additionalProperties as a schema',
      { type: 'object', additionalProperties: { type: 'string' } },
      '/additionalProperties',
    ],
    ['uniqueItems', { type: 'array', uniqueItems: true }, '/uniqueItems'],
    ['an unknown format', { type: 'string', format: 'ipv7' }, '/format'],
    ['a format for numbers', { type: 'integer', format: 'int32' }, '/format'],
    ['several types', { type: ['string', 'null'] }, '/type'],
    ['no type', { minLength: 1 }, '/type'],
    ['not', { type: 'string', not: { const: 'a' } }, '/not'],
    ['oneOf', { oneOf: [{ type: 'string' }] }, '/type'],
    ['a keyword next to anyOf', { anyOf: [{ type: 'string' }], minLength: 1 }, '/minLength'],
    ['a const that is not a string', { type: 'integer', const: 1 }, '/const'],
    ['minLength next to an enum', { type: 'string', enum: ['a'], minLength: 2 }, '/minLength'],
    ['minLength of a number', { type: 'integer', minLength: 1 }, '/minLength'],
    [
      'a required property that a closed object does not have',
      { type: 'object', required: ['a'], additionalProperties: false },
      '/required',
    ],
    [
      'an unsupported keyword in a nested schema',
      object({ type: 'array', items: { anyOf: [{ type: 'null' }, { type: 'integer', multipleOf: 2 }] } }),
      '/properties/inner/items/anyOf/1/multipleOf',
    ],
  ]
  for (const [name, schema, pointer] of refused) {
    test(name, () =>
      expect(() => toTypeBox(schema, at)).toThrow(`${at}${pointer}: this keyword is not supported`),
    )
  }

  test('a pattern that is not a regular expression', () => {
    expect(() => toTypeBox({ type: 'string', pattern: '(' }, at)).toThrow()
  })
})

describe('the format date-time (RFC 3339)', () => {
  const cases: [string, boolean][] = [
    ['2026-01-31T23:59:59Z', true],
    ['2026-01-31t23:59:59.123456z', true],
    ['2026-02-30T00:00:00Z', false],
    ['2025-02-29T00:00:00Z', false],
    ['2024-02-29T00:00:00Z', true],
    ['1900-02-29T00:00:00Z', false],
    ['2000-02-29T00:00:00Z', true],
    ['2016-12-31T23:59:60Z', true],
    ['2016-12-31T22:59:60Z', false],
    ['2016-12-31T15:59:60-08:00', true],
    ['2017-01-01T01:29:60+01:30', true],
    ['2026-01-31T24:00:00Z', false],
    ['2026-01-31T23:60:00Z', false],
    ['2026-01-31T23:59:61Z', false],
    ['2026-01-31T23:59:59', false],
    ['2026-01-31T23:59:59+24:00', false],
    ['2026-01-31', false],
    ['２026-01-31T23:59:59Z', false],
  ]
  for (const [text, expected] of cases) {
    test(`${expected ? 'accepts' : 'refuses'} ${text}`, () => {
      expect(accepts({ type: 'string', format: 'date-time' }, text)).toBe(expected)
    })
  }
})

describe('string lengths from 3 to 4 count code points:', () => {
  const schema = { type: 'string', minLength: 3, maxLength: 4 }
  const cases: [string, string, boolean][] = [
    ['two characters of two UTF-16 units are too short', '𝄞𝄞', false],
    ['three characters of two UTF-16 units fit', '𝄞𝄞𝄞', true],
    ['four characters of two UTF-16 units fit', '𝄞𝄞𝄞𝄞', true],
    ['five characters of two UTF-16 units are too long', '𝄞𝄞𝄞𝄞𝄞', false],
    ['each lone surrogate counts as one', '\ud834\ud834\ud834', true],
    ['an emoji of three code points counts as three', '👩‍🚀', true],
  ]
  for (const [name, text, expected] of cases) {
    test(name, () => expect(accepts(schema, text)).toBe(expected))
  }
})

describe('explainErrors', () => {
  const pointersOf = (schema: Record<string, unknown>, value: unknown) =>
    explainErrors(toTypeBox(schema, at), value).map(({ pointer }) => pointer)

  test('escapes ~ and / in pointers', () => {
    const schema = {
      type: 'object',
      properties: { 'a/b': { type: 'object', additionalProperties: false } },
      additionalProperties: false,
    }
    expect(pointersOf(schema, { 'a/b': { 'm~n': 1 }, '~1': 2 }).sort()).toEqual(['/a~1b/m~0n', '/~01'])
  })

  test('points into arrays, and to the whole value with the empty pointer', () => {
    const schema = { type: 'array', items: { type: 'object', properties: { n: { type: 'integer' } } } }
    expect(pointersOf(schema, [{ n: 1 }, { n: 'x' }])).toEqual(['/1/n'])
    expect(pointersOf(schema, 'x')).toEqual([''])
  })

  test('points to a property named __proto__', () => {
    const schema = { type: 'object', additionalProperties: false }
    expect(pointersOf(schema, JSON.parse('{"__proto__":{"polluted":true}}'))).toEqual(['/__proto__'])
  })

  test('returns twenty of a thousand errors', () => {
    const schema = { type: 'array', items: { type: 'string' } }
    expect(pointersOf(schema, Array(1000).fill(1))).toHaveLength(20)
  })

  test('never repeats a value', () => {
    const values = [
      'canary',
      ['canary'],
      { canary: 'canary' },
      'canary'.repeat(50),
      { password: 'canary', 'e-mail': 'canary' },
    ]
    const schemas = [
      { type: 'string', maxLength: 3 },
      { type: 'string', pattern: '^x$' },
      { type: 'string', format: 'uuid' },
      { type: 'string', enum: ['a', 'b'] },
      { type: 'integer' },
      { type: 'array', items: { type: 'string', maxLength: 3 }, maxItems: 0 },
      { anyOf: [{ type: 'null' }, { type: 'boolean' }] },
      { type: 'object', properties: { password: { type: 'string', maxLength: 3 } }, required: ['password'] },
    ]
    for (const schema of schemas) {
      for (const value of values) {
        const details = explainErrors(toTypeBox(schema, at), value).map(({ detail }) => detail)
        expect(details.join()).not.toContain('canary')
      }
    }
  })
})
