// Import these functions `with { type: 'macro' }`, so that the texts become part of the program. An import of
// type `text` does not work for a document: Bun 1.4 bundles each path once, and the same path is also
// imported as a parsed document, so one of the two imports would receive the value of the other.
import { readdirSync, readFileSync } from 'node:fs'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

/** The text of a document in spec/, with its comments. */
export const documentSource = (name: 'openapi.yaml' | 'asyncapi.yaml'): string => read(`spec/${name}`)

/** The Markdown texts of the guides in docs/, by their names. */
export function guideSources(): Record<string, string> {
  const files = readdirSync(new URL('../../docs/', import.meta.url)).filter((file) => file.endsWith('.md'))
  return Object.fromEntries(
    files.toSorted().map((file) => [file.slice(0, -'.md'.length), read(`docs/${file}`)]),
  )
}
