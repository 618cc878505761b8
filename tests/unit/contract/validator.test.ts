import { expect, mock, spyOn, test } from 'bun:test'
import type { TSchema } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { toTypeBox } from '../../../src/contract/schema.ts'
import { createValidator } from '../../../src/contract/validator.ts'

test('the schema of a validator is created and compiled once, at its first use', () => {
  using compile = spyOn(TypeCompiler, 'Compile')
  const create = mock(() => toTypeBox({ type: 'integer', minimum: 3 }, 'schema'))
  const validator = createValidator(create)
  expect(create).not.toHaveBeenCalled()
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
  expect(create).toHaveBeenCalledTimes(1)
  expect(validator.schema).toBe(create.mock.results[0]?.value as TSchema)
})
