import { expect, spyOn, test } from 'bun:test'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { toTypeBox } from '../../../src/contract/schema.ts'
import { createValidator } from '../../../src/contract/validator.ts'

test('a validator is compiled once, at its first check', () => {
  using compile = spyOn(TypeCompiler, 'Compile')
  const schema = toTypeBox({ type: 'integer', minimum: 3 }, 'schema')
  const validator = createValidator(schema)
  expect(compile).not.toHaveBeenCalled()
  expect([4, 3, 2, '3', 3.5, undefined].map(validator.check)).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
  ])
  expect(compile).toHaveBeenCalledTimes(1)
  expect(validator.schema).toBe(schema)
})
