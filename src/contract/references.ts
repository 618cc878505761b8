const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

/** The value at a JSON pointer (RFC 6901, as a URI fragment) in `document`. */
function resolvePointer(document: unknown, pointer: string): unknown {
  let value = document
  for (const token of pointer.split('/').slice(1)) {
    const key = decodeURIComponent(token).replaceAll('~1', '/').replaceAll('~0', '~')
    value = isObject(value) ? value[key] : undefined
  }
  if (value === undefined) throw new Error(`The documents refer to ${pointer}, which does not exist`)
  return value
}

/** Both documents, as written or with every `$ref` resolved. */
export interface Documents {
  readonly openapi: unknown
  readonly asyncapi: unknown
}

/**
 * Replaces each `$ref` with its target, so that the rest of the program never sees one. Only the values that
 * contain a reference are copied: copying all of them would delay each start.
 *
 * @throws Error for a reference to a place that does not exist or that contains the reference
 */
export function resolveReferences({ openapi, asyncapi }: Documents): Documents {
  /** Resolved references, by document and pointer. Undefined marks one that is being resolved. */
  const resolved = new Map<unknown, Map<string, unknown>>()

  function resolve(value: unknown, document: unknown): unknown {
    if (!isObject(value)) return value
    if (typeof value.$ref === 'string') {
      const [file = '', pointer = ''] = value.$ref.split('#')
      return resolveReference(pointer, file === './openapi.yaml' ? openapi : document)
    }
    let copy: Record<string, unknown> | undefined
    for (const key of Object.keys(value)) {
      const item = value[key]
      const target = resolve(item, document)
      if (target === item) continue
      copy ??= (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>
      copy[key] = target
    }
    return copy ?? value
  }

  function resolveReference(pointer: string, document: unknown): unknown {
    const known = resolved.get(document) ?? new Map<string, unknown>()
    resolved.set(document, known)
    if (known.has(pointer)) {
      const target = known.get(pointer)
      if (target === undefined) throw new Error(`The documents contain a circular reference: ${pointer}`)
      return target
    }
    known.set(pointer, undefined)
    const target = resolve(resolvePointer(document, pointer), document)
    known.set(pointer, target)
    return target
  }

  return { openapi: resolve(openapi, openapi), asyncapi: resolve(asyncapi, asyncapi) }
}
