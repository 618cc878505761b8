import { type TSchema, Type } from '@sinclair/typebox'
import type { JsonSchema } from './documents.ts'
import { compilePattern, createString, isFormat, stringKeywords } from './strings.ts'

/** Keywords that describe a value and do not constrain it. */
const annotations = new Set([
  'title',
  'description',
  'default',
  'example',
  'examples',
  'readOnly',
  'writeOnly',
  'deprecated',
  '$comment',
])

const keywordsOfType: Record<string, readonly string[]> = {
  string: stringKeywords,
  integer: ['minimum', 'maximum'],
  number: ['minimum', 'maximum'],
  boolean: [],
  null: [],
  object: ['properties', 'required', 'additionalProperties'],
  array: ['items', 'minItems', 'maxItems'],
}

const pick = (schema: JsonSchema, keywords: readonly string[]) =>
  Object.fromEntries(keywords.flatMap((key) => (schema[key] === undefined ? [] : [[key, schema[key]]])))

/**
 * Converts a JSON Schema (2020-12, `$ref`s resolved) to a TypeBox schema that accepts exactly the same
 * values.
 *
 * @param pointer the location of the schema, for error messages
 * @throws Error with the pointer of an unsupported keyword. Ignoring a keyword would accept values that
 *   the document forbids.
 */
export function toTypeBox(schema: JsonSchema, pointer: string): TSchema {
  const refuse = (keyword: string): never => {
    throw new Error(`${pointer}/${keyword}: this keyword is not supported`)
  }
  const allow = (...keywords: readonly string[]) => {
    for (const key of Object.keys(schema)) {
      if (!annotations.has(key) && !key.startsWith('x-') && !keywords.includes(key)) refuse(key)
    }
  }

  for (const keyword of ['allOf', 'anyOf'] as const) {
    const branches = schema[keyword]
    if (branches === undefined) continue
    allow(keyword)
    const types = (branches as JsonSchema[]).map((each, i) => toTypeBox(each, `${pointer}/${keyword}/${i}`))
    return keyword === 'allOf' ? Type.Intersect(types) : Type.Union(types)
  }

  const { type } = schema
  if (typeof type !== 'string' || !(type in keywordsOfType)) return refuse('type')

  for (const keyword of ['const', 'enum'] as const) {
    if (schema[keyword] === undefined) continue
    allow('type', keyword)
    const values = keyword === 'const' ? [schema.const] : (schema.enum as unknown[])
    if (type !== 'string' || !values.every((value) => typeof value === 'string')) refuse(keyword)
    const literals = values.map((value) => Type.Literal(value as string))
    return literals.length === 1 ? (literals[0] as TSchema) : Type.Union(literals)
  }

  allow('type', ...(keywordsOfType[type] as string[]))
  switch (type) {
    case 'string':
      if (schema.format !== undefined && !isFormat(schema.format)) refuse('format')
      if (schema.pattern !== undefined) compilePattern(schema.pattern as string)
      return createString(schema)
    case 'integer':
      return Type.Integer(pick(schema, ['minimum', 'maximum']))
    case 'number':
      return Type.Number(pick(schema, ['minimum', 'maximum']))
    case 'boolean':
      return Type.Boolean()
    case 'null':
      return Type.Null()
    case 'array':
      return Type.Array(
        schema.items === undefined
          ? Type.Unknown()
          : toTypeBox(schema.items as JsonSchema, `${pointer}/items`),
        pick(schema, ['minItems', 'maxItems']),
      )
    default: {
      const closed = schema.additionalProperties
      if (closed !== undefined && typeof closed !== 'boolean') refuse('additionalProperties')
      const required = (schema.required as string[] | undefined) ?? []
      const properties = (schema.properties as Record<string, JsonSchema> | undefined) ?? {}
      const types: Record<string, TSchema> = {}
      for (const [name, property] of Object.entries(properties)) {
        const converted = toTypeBox(property, `${pointer}/properties/${name}`)
        types[name] = required.includes(name) ? converted : Type.Optional(converted)
      }
      // A required property without a schema may have any value, but only in an open object.
      for (const name of required) {
        if (closed === false && !(name in types)) refuse('required')
        types[name] ??= Type.Unknown()
      }
      return Type.Object(types, closed === false ? { additionalProperties: false } : {})
    }
  }
}
