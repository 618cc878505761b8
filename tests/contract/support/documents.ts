import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

/** A node of a parsed YAML document. Aliases of one anchor are the same object. */
export type Node = { [name: string]: unknown }

/** Both parsed documents, with unresolved `$ref`s. */
export interface Documents {
  'openapi.yaml': Node
  'asyncapi.yaml': Node
}

export const DOCUMENT_NAMES = ['openapi.yaml', 'asyncapi.yaml'] as const

/** Reads both documents from a folder. */
export function readDocuments(directory: string): Documents {
  const read = (name: string) => Bun.YAML.parse(readFileSync(join(directory, name), 'utf8')) as Node
  return { 'openapi.yaml': read('openapi.yaml'), 'asyncapi.yaml': read('asyncapi.yaml') }
}

/**
 * Resolves every `$ref`, also those to the other document. References to the same target become the same
 * object, so that coverage of a schema counts for all its uses.
 */
export function resolveReferences(documents: Documents): Documents {
  const resolved = new Map<object, unknown>()

  const resolve = (node: unknown, home: keyof Documents): unknown => {
    if (typeof node !== 'object' || node === null) return node
    if (resolved.has(node)) return resolved.get(node)
    const reference = (node as Node).$ref
    if (typeof reference === 'string') {
      const [target, file] = resolvePointer(documents, reference, home)
      const value = resolve(target, file)
      resolved.set(node, value)
      return value
    }
    const copy: Node | unknown[] = Array.isArray(node) ? [] : {}
    resolved.set(node, copy)
    for (const [name, value] of Object.entries(node)) (copy as Node)[name] = resolve(value, home)
    return copy
  }

  return {
    'openapi.yaml': resolve(documents['openapi.yaml'], 'openapi.yaml') as Node,
    'asyncapi.yaml': resolve(documents['asyncapi.yaml'], 'asyncapi.yaml') as Node,
  }
}

function resolvePointer(
  documents: Documents,
  reference: string,
  home: keyof Documents,
): [unknown, keyof Documents] {
  const [address = '', pointer = ''] = reference.split('#')
  const file = address === '' ? home : (address.replace('./', '') as keyof Documents)
  let node: unknown = documents[file]
  for (const token of pointer.split('/').slice(1)) {
    node = (node as Node | undefined)?.[token.replaceAll('~1', '/').replaceAll('~0', '~')]
  }
  if (node === undefined) throw new Error(`${home}: cannot resolve ${reference}`)
  return [node, file]
}
