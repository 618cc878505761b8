import { readFileSync } from 'node:fs'

/**
 * The text of a document in spec/, with its comments.
 *
 * Import it `with { type: 'macro' }`, so that the text becomes part of the program. An import of type
 * `text` does not work: Bun 1.4 bundles each path once, and the same path is also imported as a parsed
 * document, so one of the two imports would receive the value of the other.
 */
export function documentSource(name: 'openapi.yaml' | 'asyncapi.yaml'): string {
  return readFileSync(new URL(`../../spec/${name}`, import.meta.url), 'utf8')
}
