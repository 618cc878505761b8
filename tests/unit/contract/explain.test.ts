import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { explainErrors } from '../../../src/contract/explain.ts'
import { toTypeBox } from '../../../src/contract/schema.ts'
import { isFormat, violatedKeyword } from '../../../src/contract/strings.ts'

const schema = toTypeBox(
  { type: 'object', properties: { message: { type: 'string' } }, additionalProperties: false },
  '#',
)
const pointerSchema = { type: 'string', format: 'json-pointer' }

test('the name of an unknown property of 60 kB is shortened, and the detail says so', () => {
  const [error, ...others] = explainErrors(schema, { ['a'.repeat(60_000)]: 1 })
  expect(others).toEqual([])
  expect(error).toEqual({
    pointer: `/${'a'.repeat(64)}\u2026`,
    detail: 'is not a known property (the pointer is shortened)',
  })
})

test('a name of 64 characters is complete', () => {
  const name = 'a'.repeat(64)
  expect(explainErrors(schema, { [name]: 1 })).toEqual([
    { pointer: `/${name}`, detail: 'is not a known property' },
  ])
})

test('no escape sequence and no surrogate pair is divided', () => {
  for (const name of [`${'a'.repeat(63)}/b`, `${'a'.repeat(63)}~b`, `${'a'.repeat(63)}\u{1d11e}`]) {
    expect(explainErrors(schema, { [name]: 1 })[0]?.pointer).toBe(`/${'a'.repeat(63)}\u2026`)
  }
})

test('whatever the names are, the pointers are valid, and all errors together are small', () => {
  expect(isFormat('json-pointer')).toBe(true)
  const name = fc.oneof(
    fc.string({ maxLength: 200 }),
    fc
      .tuple(fc.constantFrom('~', '/', 'a~', '\u0000', '\u{1d11e}', 'a\u{1d11e}', '"'), fc.nat(5000))
      .map(([piece, times]) => piece.repeat(times)),
  )
  fc.assert(
    fc.property(fc.uniqueArray(name, { maxLength: 60 }), (names) => {
      const errors = explainErrors(schema, Object.fromEntries(names.map((each) => [each, 1])))
      expect(errors.length).toBeLessThanOrEqual(20)
      for (const { pointer } of errors) expect(violatedKeyword(pointerSchema, pointer)).toBeUndefined()
      expect(JSON.stringify(errors).length).toBeLessThan(20_000)
    }),
    { seed: 1 },
  )
})
