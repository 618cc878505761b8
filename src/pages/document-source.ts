// Import these functions `with { type: 'macro' }`, so that the texts become part of the program. An import of
// type `text` does not work for a document: Bun 1.4 bundles each path once, and the same path is also
// imported as a parsed document, so one of the two imports would receive the value of the other.
import { readdirSync, readFileSync } from 'node:fs'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

/** The text of a document in spec/, with its comments. */
export const documentSource = (name: 'openapi.yaml' | 'asyncapi.yaml'): string => read(`spec/${name}`)

export interface GuideSource {
  readonly name: string
  /** The path of the file in the repository. */
  readonly file: string
  readonly text: string
}

/** The Markdown files in a folder of the repository. The names of the guides begin with `prefix`. */
function guidesIn(folder: string, prefix: string): GuideSource[] {
  const files = readdirSync(new URL(`../../${folder}`, import.meta.url)).filter((file) =>
    file.endsWith('.md'),
  )
  return files.toSorted().map((file) => {
    const path = `${folder}${file}`
    return { name: prefix + file.slice(0, -'.md'.length), file: path, text: read(path) }
  })
}

/** The guides in docs/ and those of the client. */
export const guideSources = (): GuideSource[] => [
  ...guidesIn('docs/', ''),
  { name: 'client', file: 'client/README.md', text: read('client/README.md') },
  ...guidesIn('client/docs/', 'client-'),
]
