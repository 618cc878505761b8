import { describe, expect, test } from 'bun:test'
import Ajv2020 from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import fc from 'fast-check'
import type { JsonSchema } from '../../../src/contract/documents.ts'
import { explainErrors } from '../../../src/contract/explain.ts'
import { asyncapi, openapi } from '../../../src/contract/full-documents.ts'
import { toTypeBox } from '../../../src/contract/schema.ts'
import { createValidator } from '../../../src/contract/validator.ts'
import { createValues } from './json-values.ts'

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
console.log(`Generated values: set SEED=${seed} to repeat this run`)

const ajv = new Ajv2020({ strictTypes: false, strictRequired: false, keywords: ['x-extensible-enum'] })
addFormats.default(ajv, { mode: 'full' })

const values = createValues((schema, value) => ajv.validate(schema, value))

/** Every schema of both documents, with its location. */
function allSchemas(): [string, JsonSchema][] {
  const named = [
    ...Object.entries(openapi.components.schemas),
    ...Object.entries(asyncapi.components.schemas),
    ...Object.entries(openapi.components.parameters).map(
      ([name, { schema }]) => [`parameter ${name}`, schema] as const,
    ),
    ...Object.entries(openapi.components.headers).map(
      ([name, { schema }]) => [`header ${name}`, schema] as const,
    ),
    ['query of the channel', asyncapi.channels.chat.bindings.ws.query] as const,
  ]
  const inline = Object.entries(openapi.paths).flatMap(([path, methods]) =>
    Object.values(methods).flatMap(({ operationId, parameters = [], requestBody, responses }) => [
      ...parameters.map(({ name, schema }) => [`${operationId} ${name}`, schema] as const),
      ...Object.values(requestBody?.content ?? {}).map(
        ({ schema }) => [`${operationId} body`, schema] as const,
      ),
      ...Object.entries(responses).flatMap(([status, { content = {} }]) =>
        Object.values(content).map(({ schema }) => [`${operationId} ${status} at ${path}`, schema] as const),
      ),
    ]),
  )
  return [...named, ...inline].map(([name, schema]) => [name, schema])
}

/** The different schemas, with the first location of each. */
const distinct = new Map<string, [string, JsonSchema]>()
for (const [name, schema] of allSchemas()) {
  const text = JSON.stringify(schema)
  if (!distinct.has(text)) distinct.set(text, [name, schema])
}

describe('the validator and Ajv accept the same values of', () => {
  for (const [name, schema] of distinct.values()) {
    test(name, () => {
      const validator = createValidator(() => toTypeBox(schema, name))
      const isValid = ajv.compile(schema)
      let good = 0
      let bad = 0
      fc.assert(
        fc.property(fc.oneof(values.good(schema), values.near(schema)), (value) => {
          const expected = isValid(value)
          if (expected) good++
          else bad++
          expect(validator.check(value)).toBe(expected)
          const errors = explainErrors(validator.schema, value)
          expect(errors.length > 0).toBe(!expected)
          expect(errors.length).toBeLessThanOrEqual(20)
        }),
        { seed, numRuns: 150 },
      )
      // The generator must create valid and invalid values; otherwise the test proves nothing.
      const isOpen = schema.type === 'string' && Object.keys(schema).length === 1
      expect({ good: good > 0, bad: bad > 0 || isOpen }).toEqual({ good: true, bad: true })
    })
  }
})
