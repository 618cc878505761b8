import { readFileSync } from 'node:fs'

/**
 * The text of a document of spec/, as it was written.
 *
 * To be imported `with { type: 'macro' }`, so that the text becomes part of the program. An import of
 * type `text` would do the same, but Bun 1.4 bundles a file once for each path: beside the import of
 * the parsed document, one of the two gets the other's value.
 */
export function documentSource(name: 'openapi.yaml' | 'asyncapi.yaml'): string {
  return readFileSync(new URL(`../../spec/${name}`, import.meta.url), 'utf8')
}
